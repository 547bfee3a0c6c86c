"""Models that rnnc refuses: each looks like one that it reads, and means something else."""

import numpy as np
from loops import loop, simple_cell
from writer import Model, matrix, gates, lstm_inputs, states, save, TANH


def refused(random):
    """Loops that are no recurrence over their whole sequence, and an LSTM whose recurrent weights do not fit its projection."""
    T, I, H = 4, 2, 2
    for name, more in {
        "loop_short": {"count": T - 1, "length": T - 1},
        "loop_late": {"start": 1},
        "loop_by_two": {"by": 2},
        "loop_long_rows": {"length": T + 1},
        "loop_peeks": {},
        "loop_counts": {},
        "loop_within": {},
    }.items():
        model = Model()
        x, zeros = model.tensor("x", (T, 1, I)), model.constant("h0", np.zeros((1, H), np.float32))
        arguments = {"count": T} | more
        simple = simple_cell(random, I, H)[0]

        def cell(body, row, states, name=name, simple=simple):
            new, more, other = simple(body, row, states)[0], body.tensor("more", (1, H)), body.tensor("other", (1, H))
            if name == "loop_peeks":  # reads what the first step wrote
                body.op("GATHER", [body.inputs[2], body.constant("0", np.array(0, np.int32))], [other], {0: ("i", 0)})
            elif name == "loop_counts":
                body.op("CAST", [body.inputs[1]], [other])
            elif name == "loop_within":
                body.op("WHILE", states, [other], {0: ("i", 1), 1: ("i", 2)})
            else:
                return [new]
            body.op("ADD", [new, other], [more])
            return [more]

        rows, final = loop(model, x, arguments.pop("count"), T, I, [zeros], cell, H, True, **arguments)
        model.inputs, model.outputs = [x], final
        model.save(name + ".tflite")
    model = Model()
    x, y = model.tensor("x", (1, T, H)), model.tensor("y", (1, T, H))
    model.op("ADD", [x, x], [y], {0: ("b", TANH)})
    model.inputs, model.outputs = [x], [y]
    model.save("fused_tanh.tflite")
    model = Model()  # two operators have one state
    x, first, last = (model.tensor(n, (1, T, H)) for n in ("x", "first", "last"))
    weights = [model.constant("V", matrix(random, H, H)), model.constant("S", matrix(random, H, H))]
    weights += [model.constant("v", matrix(random, H)), model.tensor("s", (1, H), variable=True)]
    model.op("UNIDIRECTIONAL_SEQUENCE_RNN", [x, *weights], [first], {1: ("b", TANH)})
    model.op("UNIDIRECTIONAL_SEQUENCE_RNN", [first, *weights], [last], {1: ("b", TANH)})
    model.inputs, model.outputs = [x], [last]
    model.save("one_state.tflite")
    model = Model()  # ends by its state
    x, y = model.tensor("x", (1, 1)), model.tensor("y", (1, 1))
    condition, body = Model(model), Model(model)
    condition.inputs, condition.outputs = [condition.tensor("v", (1, 1))], [condition.tensor("more", (1, 1), kind="?")]
    condition.op("LESS", [condition.inputs[0], condition.constant("ten", np.float32(10))], condition.outputs)
    body.inputs, body.outputs = [body.tensor("v", (1, 1))], [body.tensor("w", (1, 1))]
    body.op("ADD", [body.inputs[0], body.inputs[0]], body.outputs)
    model.op("WHILE", [x], [y], {0: ("i", 1), 1: ("i", 2)})
    model.inputs, model.outputs = [x], [y]
    model.save("loop.tflite")
    model, H = Model(), 2
    x, y = model.tensor("x", (1, 4, 3)), model.tensor("y", (1, 4, 1))
    inputs = [
        x,
        *lstm_inputs(model, x, *gates(random, 3, H), None, H)[:15],
        model.constant("R", matrix(random, 1, H)),
        -1,
    ]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs + states(model, 1, H) + [-1] * 4, [y], {0: ("b", TANH)})
    model.inputs, model.outputs = [x], [y]
    model.save("projected.tflite")
    for name, projection, factors in (("flat_projection", [H], 0), ("half_normalised", None, 1)):
        model = Model()
        x, y = model.tensor("x", (1, 4, 3)), model.tensor("y", (1, 4, H))
        inputs = [x, *lstm_inputs(model, x, *gates(random, 3, H), None, H)]
        if projection:
            inputs[16] = model.constant("R", matrix(random, *projection))
        norms = [model.constant("N", matrix(random, H)) if factors else -1] + [-1] * 3
        model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs + states(model, 1, H) + norms, [y], {0: ("b", TANH)})
        model.inputs, model.outputs = [x], [y]
        model.save(name + ".tflite")
