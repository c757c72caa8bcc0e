"""Networks of the catalogue as PyTorch's users write them, for bench_pytorch.py --truth. Needs torch; images are
torchvision's networks."""
import torch
from torch import nn
from torch.nn import functional

WORDS_LSTM, STEPS = 10000, 35  # lstm_lm: Zaremba et al., the medium model
WORDS_BERT, TOKENS = 30522, 128  # bert_base


class LanguageModel(nn.Module):
    """lstm_lm: embedding, two LSTM layers of 650, decoder, softmax."""

    def __init__(self, width=650, layers=2):
        super().__init__()
        self.embedding = nn.Embedding(WORDS_LSTM, width)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True)
        self.decoder = nn.Linear(width, WORDS_LSTM)

    def forward(self, words):
        return functional.log_softmax(self.decoder(self.lstm(self.embedding(words))[0]), dim=-1)


class EncoderLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ffn1, self.ffn2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        shape = (batch, tokens, self.heads, width // self.heads)
        query, key, value = (layer(x).view(shape).transpose(1, 2)
                             for layer in (self.query, self.key, self.value))
        mixed = functional.scaled_dot_product_attention(query, key, value)
        x = self.norm1(x + self.output(mixed.transpose(1, 2).reshape(batch, tokens, width)))
        return self.norm2(x + self.ffn2(functional.gelu(self.ffn1(x))))


class Encoder(nn.Module):
    """bert_base: 12 layers of 768 with 12 heads, and the pooler."""

    def __init__(self, width=768, layers=12, heads=12):
        super().__init__()
        self.words, self.types = nn.Embedding(WORDS_BERT, width), nn.Embedding(2, width)
        self.positions = nn.Parameter(torch.randn(TOKENS, width))
        self.norm = nn.LayerNorm(width)
        self.layers = nn.Sequential(*(EncoderLayer(width, heads) for _ in range(layers)))
        self.pooler = nn.Linear(width, width)

    def forward(self, words):
        x = self.norm(self.words(words) + self.types(torch.zeros_like(words)) + self.positions)
        return torch.tanh(self.pooler(self.layers(x)[:, 0]))


def images(batch):
    return torch.randn(batch, 3, 224, 224)


# name -> how to build the network, and its input at a batch size
OURS = {"lstm_lm": (LanguageModel, lambda batch: torch.randint(WORDS_LSTM, (batch, STEPS))),
        "bert_base": (Encoder, lambda batch: torch.randint(WORDS_BERT, (batch, TOKENS)))}


def build(name):
    """The network and a function from batch size to input. ImportError: an image network without torchvision."""
    if name in OURS:
        create, inputs = OURS[name]
        return create(), inputs
    import torchvision
    return getattr(torchvision.models, name)(weights=None), images
