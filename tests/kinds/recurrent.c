#include "kinds/reference.h"

/* Batch, positions, inputs, hidden, layers, cell, both directions, bias. */
#define CASE(...) TRAINED(RECURRENT, recurrent, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(3, 4, 5, 6, 1, CELL_LSTM, SWITCH_NO, SWITCH_YES),
    CASE(2, 3, 7, 4, 1, CELL_RNN, SWITCH_NO, SWITCH_YES),
    CASE(2, 3, 4, 5, 1, CELL_GRU, SWITCH_NO, SWITCH_YES),
    CASE(1, 3, 5, 4, 1, CELL_LSTM, SWITCH_YES, SWITCH_YES),
    CASE(3, 2, 5, 4, 1, CELL_GRU, SWITCH_YES, SWITCH_YES),
    CASE(1, 2, 1, 1, 1, CELL_RNN, SWITCH_YES, SWITCH_YES),
    CASE(2, 3, 6, 5, 3, CELL_LSTM, SWITCH_NO, SWITCH_YES),
    CASE(2, 3, 3, 4, 2, CELL_GRU, SWITCH_YES, SWITCH_YES),
    CASE(2, 2, 3, 4, 3, CELL_RNN, SWITCH_YES, SWITCH_YES),
    CASE(17, 3, 18, 20, 1, CELL_LSTM, SWITCH_NO, SWITCH_YES), /* packed weights */
    CASE(16, 2, 16, 32, 2, CELL_GRU, SWITCH_YES, SWITCH_YES),
    CASE(2, 2, 2, 3, 8, CELL_LSTM, SWITCH_YES, SWITCH_YES),
};

static const struct layer_config narrow_cases[] = {
    CASE(4, 3, 16, 16, 1, CELL_LSTM, SWITCH_NO, SWITCH_YES),
    CASE(4, 3, 16, 16, 2, CELL_LSTM, SWITCH_YES, SWITCH_YES),
    CASE(4, 3, 16, 16, 2, CELL_GRU, SWITCH_NO, SWITCH_YES),
};

const struct kind_reference reference_recurrent = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "log_uniform "
            "recurrent:batch_size=8,pass=train,optimizer=adadelta,precision=fp32,positions=2,"
            "inputs=14,hidden=1,layers=1,cell=lstm,bidirectional=yes,use_bias=no",
            "realistic "
            "recurrent:batch_size=16,pass=forward,optimizer=none,precision=fp32,positions=35,"
            "inputs=1024,hidden=512,layers=2,cell=gru,bidirectional=no,use_bias=yes",
            "log_uniform "
            "recurrent:batch_size=2,pass=train,optimizer=rmsprop,precision=fp32,positions=70,"
            "inputs=649,hidden=16,layers=3,cell=gru,bidirectional=no,use_bias=yes",
            "log_uniform "
            "recurrent:batch_size=38,pass=forward,optimizer=none,precision=fp32,positions=8,inputs="
            "1,hidden=152,layers=1,cell=rnn,bidirectional=yes,use_bias=no",
            "uniform "
            "recurrent:batch_size=59,pass=train,optimizer=none,precision=fp32,positions=31,inputs="
            "471,hidden=430,layers=1,cell=gru,bidirectional=no,use_bias=yes",
            "log_uniform "
            "recurrent:batch_size=1,pass=forward,optimizer=none,precision=fp32,positions=101,"
            "inputs=434,hidden=230,layers=1,cell=rnn,bidirectional=yes,use_bias=no",
        },
};
