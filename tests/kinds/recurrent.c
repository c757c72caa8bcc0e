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
            "log_uniform recurrent:batch_size=2,pass=forward,optimizer=none,precision=fp32,"
            "positions=3,inputs=439,hidden=1565,layers=2,cell=gru,bidirectional=yes,use_bias=no",
            "log_uniform recurrent:batch_size=35,pass=train,optimizer=adam,precision=fp32,"
            "positions=828,inputs=43,hidden=4,layers=1,cell=rnn,bidirectional=no,use_bias=yes",
            "log_uniform recurrent:batch_size=8,pass=forward,optimizer=none,precision=fp32,"
            "positions=105,inputs=4,hidden=233,layers=1,cell=rnn,bidirectional=no,use_bias=yes",
            "uniform recurrent:batch_size=28,pass=train,optimizer=adadelta,precision=fp32,"
            "positions=32,inputs=904,hidden=432,layers=1,cell=gru,bidirectional=yes,use_bias=no",
            "uniform recurrent:batch_size=23,pass=forward,optimizer=none,precision=fp32,"
            "positions=19,inputs=626,hidden=617,layers=1,cell=rnn,bidirectional=no,use_bias=yes",
            "log_uniform recurrent:batch_size=19,pass=train,optimizer=sgd,precision=fp32,"
            "positions=67,inputs=14,hidden=16,layers=4,cell=gru,bidirectional=yes,use_bias=no",
        },
};
