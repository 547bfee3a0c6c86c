"""Models of loops: WHILE as the converter writes it for Keras's GRU and SimpleRNN."""

import numpy as np
from writer import Model, lstm, gru, matrix, gates, states, save, TANH


def in_place(model, rows, item, number, T, H, as_update):
    """What the converter makes of TensorListSetItem: row `number` of [T, 1, H] becomes `item`, [1, H]."""
    wide = model.tensor("item", (1, 1, H))
    numbers = lambda name, *values: model.constant(name, np.array(values, np.int32))
    scalar = lambda name, value: model.constant(name, np.array(value, np.int32))
    model.op("EXPAND_DIMS", [item, scalar("dim_0", 0)], [wide])
    place, begin = model.tensor("place", (1,), kind="i4"), model.tensor("begin", (3,), kind="i4")
    model.op("EXPAND_DIMS", [number, scalar("dim_1", 0)], [place])
    written = model.tensor("written", (T, 1, H))
    if as_update:
        model.op("CONCATENATION", [place, numbers("zeros", 0, 0)], [begin], {0: ("i", 0)})
        model.op("DYNAMIC_UPDATE_SLICE", [rows, wide, begin], [written])
        return written
    size, behind, next_ = (model.tensor(n, s, kind="i4") for n, s in (("size", (3,)), ("behind", (1,)), ("next", ())))
    model.op("CONCATENATION", [place, numbers("rest", -1, -1)], [size], {0: ("i", 0)})
    model.op("ADD", [number, scalar("one more", 1)], [next_])
    model.op("EXPAND_DIMS", [next_, scalar("dim_2", 0)], [behind])
    model.op("CONCATENATION", [behind, numbers("zeros", 0, 0)], [begin], {0: ("i", 0)})
    first, last = (model.tensor(n, (1, 1, H), open_dim=0) for n in ("first", "last"))
    model.op("SLICE", [rows, numbers("all zeros", 0, 0, 0), size], [first])
    model.op("SLICE", [rows, begin, numbers("all", -1, -1, -1)], [last])
    model.op("CONCATENATION", [first, wide, last], [written], {0: ("i", 0)})
    return written


def loop(model, x, count, T, I, states, cell, H, keeps, as_update=False, begin=None, start=0, by=1, length=None):
    """The loop that the converter makes of Keras's recurrent layer: its variables are the number of the step twice, the
    rows of the output (of all steps, or of the last), the states, and what the loop reads. `cell` gives the new states;
    `count` is a constant or, if `begin` is, a tensor, and the rows begin with tensor `begin`, or as `length` zeros.
    Steps count from `start` on in steps of `by`. Returns the rows and the final states."""
    rows = (length or T) if keeps else 1
    captured = [] if begin is None else [count]
    condition, body = Model(model), Model(model)

    def variables(graph):
        whole = [graph.tensor(n, (), kind="i4") for n in ("loop_counter", "time")]
        own = [graph.tensor("rows", (rows, 1, H))] + [graph.tensor(f"state{k}", (1, H)) for k in range(len(states))]
        read = [graph.tensor("sequence", (T, 1, I))] + [graph.tensor("steps", (), kind="i4") for _ in captured]
        return whole + own + read

    condition.inputs = variables(condition)
    limit = condition.inputs[-1] if captured else condition.constant("count", np.array(count, np.int32))
    first, second, both = (condition.tensor(n, (), kind="?") for n in ("first", "second", "both"))
    condition.op("LESS", [condition.inputs[0], limit], [first])
    condition.op("GREATER", [limit, condition.inputs[1]], [second])
    condition.op("LOGICAL_AND", [first, second], [both])
    condition.outputs = [both]
    body.inputs = variables(body)
    one = body.constant("one", np.array(by, np.int32))
    counters = [body.tensor(n, (), kind="i4") for n in ("next_counter", "next_time")]
    for k in (0, 1):
        body.op("ADD", [body.inputs[k], one], [counters[k]])
    row = body.tensor("row", (1, I))
    of = body.inputs[3 + len(states) :]
    body.op("GATHER", [of[0], body.inputs[1]], [row], {0: ("i", 0)})
    new = cell(body, row, body.inputs[3 : 3 + len(states)])
    if keeps:
        output = in_place(body, body.inputs[2], new[0], body.inputs[1], rows, H, as_update)
    else:
        output = body.tensor("output", (1, 1, H))
        body.op("RESHAPE", [new[0], body.constant("shape", np.array([1, 1, H], np.int32))], [output])
    body.outputs = [*counters, output, *new, *of]
    zero = model.constant("zero", np.array(start, np.int32))
    if begin is None:
        begin = model.constant("no rows", np.zeros((rows, 1, H), np.float32))
    inputs = [zero, zero, begin, *states, x, *captured]
    shapes = [(), (), (rows, 1, H)] + [(1, H)] * len(states)
    outputs = [model.tensor(f"loop:{k}", shape, kind="f4" if shape else "i4") for k, shape in enumerate(shapes)]
    outputs += [model.tensor("loop:x", (T, 1, I))] + [model.tensor("loop:n", (), kind="i4") for _ in captured]
    graphs = {0: ("i", model.graphs.index(condition)), 1: ("i", model.graphs.index(body))}
    model.op("WHILE", inputs, outputs, graphs)
    return outputs[2], outputs[3 : 3 + len(states)]


def written_out(body, x, h, W, b, U, u, gates, H):
    """x W + b and h U + u, each split into gates."""
    sides = []
    for n, of, weights, bias in (("x", x, W, b), ("h", h, U, u)):
        sums = body.tensor(f"sums of {n}", (1, gates * H))
        body.op("FULLY_CONNECTED", [of, body.constant(f"W of {n}", weights), body.constant(f"b of {n}", bias)], [sums])
        parts = [body.tensor(f"{n}{k}", (1, H)) for k in range(gates)]
        body.op("SPLIT", [body.constant(f"dim of {n}", np.array(1, np.int32)), sums], parts, {0: ("i", gates)})
        sides.append(parts)
    return sides


def looped_gru(random):
    """Keras's GRU, all steps and, behind it, an LSTM that goes backwards and gives its last step."""
    I, H, T = 3, 5, 6
    W, U, b, u = matrix(random, 3 * H, I), matrix(random, 3 * H, H), matrix(random, 3 * H), matrix(random, 3 * H)
    V, S, v = matrix(random, 4 * H, H), matrix(random, 4 * H, H), matrix(random, 4 * H)
    model = Model()
    x, turned = model.tensor("x", (1, T, I)), model.tensor("turned", (T, 1, I))
    order = model.constant("order", np.array([1, 0, 2], np.int32))
    model.op("TRANSPOSE", [x, order], [turned])

    def new(body, op, *inputs):
        place = body.tensor(f"t{len(body.tensors)}", (1, H))
        body.op(op, list(inputs), [place])
        return place

    def gru_cell(body, row, states):
        xs, hs = written_out(body, row, states[0], W, b, U, u, 3, H)
        z, r = (new(body, "LOGISTIC", new(body, "ADD", xs[k], hs[k])) for k in (0, 1))
        n = new(body, "TANH", new(body, "ADD", xs[2], new(body, "MUL", r, hs[2])))
        rest = new(body, "SUB", body.constant("1", np.float32(1)), z)
        return [new(body, "ADD", new(body, "MUL", z, states[0]), new(body, "MUL", rest, n))]

    def lstm_cell(body, row, states):
        xs, hs = written_out(body, row, states[0], V, v, S, np.zeros(4 * H, np.float32), 4, H)
        i, f, g, o = (new(body, "ADD", xs[k], hs[k]) for k in range(4))
        c = new(body, "ADD", new(body, "MUL", new(body, "LOGISTIC", f), states[1]),
                new(body, "MUL", new(body, "LOGISTIC", i), new(body, "TANH", g)))  # fmt: skip
        return [new(body, "MUL", new(body, "LOGISTIC", o), new(body, "TANH", c)), c]

    zeros = lambda name: model.constant(name, np.zeros((1, H), np.float32))
    rows, _ = loop(model, turned, T, T, I, [zeros("h0")], gru_cell, H, True)
    reverse, y, last = (model.tensor(n, s) for n, s in (("reverse", (T, 1, H)), ("y", (1, T, H)), ("last", (1, 1, H))))
    model.op("REVERSE_V2", [rows, model.constant("time", np.array([0], np.int32))], [reverse])
    one, (final, _) = loop(model, reverse, T, T, H, [zeros("h1"), zeros("c1")], lstm_cell, H, False)
    model.op("TRANSPOSE", [rows, order], [y])
    model.op("TRANSPOSE", [one, order], [last])
    both = model.tensor("both", (1, T, H))
    model.op("ADD", [y, last], [both])
    model.inputs, model.outputs = [x], [both]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    ys = gru(data, W, U, b, u)
    split = lambda a: [a[k * H : (k + 1) * H] for k in range(4)]
    h = lstm(ys, split(V), split(S), split(v), reverse=True)[:1]
    save("looped_gru", model, data, ys + h)


def simple_cell(random, I, H):
    """The step of Keras's SimpleRNN, and its weights."""
    W, U, b = matrix(random, H, I), matrix(random, H, H), matrix(random, H)

    def cell(body, row, states):
        of_x, of_h, sums, new = (body.tensor(n, (1, H)) for n in ("of_x", "of_h", "sums", "new"))
        body.op("FULLY_CONNECTED", [row, body.constant("W", W), body.constant("b", b)], [of_x])
        body.op("FULLY_CONNECTED", [states[0], body.constant("U", U), -1], [of_h])
        body.op("ADD", [of_x, of_h], [sums])
        body.op("TANH", [sums], [new])
        return [new]

    return cell, W, U, b


def looped_rnn(random):
    """Keras's SimpleRNN of any number of steps and sequences, which the model counts."""
    I, H, T = 4, 6, 5
    cell, W, U, b = simple_cell(random, I, H)
    model = Model()
    numbers = lambda name, *values: model.constant(name, np.array(values, np.int32))
    x, turned = model.tensor("x", (1, T, I), open_dim=1), model.tensor("turned", (T, 1, I), open_dim=0)
    order = numbers("order", 1, 0, 2)
    model.op("TRANSPOSE", [x, order], [turned])
    shape = model.tensor("shape", (3,), kind="i4")
    model.op("SHAPE", [turned], [shape], {0: ("B", 2)})
    steps, batch = (model.tensor(n, (), kind="i4") for n in ("steps", "batch"))
    for k, place in enumerate((steps, batch)):
        ends = [numbers(f"begin{k}", k), numbers(f"end{k}", k + 1), numbers(f"stride{k}", 1)]
        model.op("STRIDED_SLICE", [shape, *ends], [place], {4: ("i", 1)})
    dims, long = model.tensor("dims", (2,), kind="i4"), model.tensor("long", (1,), kind="i4")
    model.op("PACK", [batch, model.constant("H", np.array(H, np.int32))], [dims], {0: ("i", 2)})
    h0, nothing = model.tensor("h0", (1, H)), model.constant("nothing", np.float32(0))
    model.op("FILL", [dims, nothing], [h0])
    model.op("EXPAND_DIMS", [steps, model.constant("dim", np.array(0, np.int32))], [long])
    all_dims, begin = model.tensor("all_dims", (3,), kind="i4"), model.tensor("begin", (T, 1, H), open_dim=0)
    model.op("CONCATENATION", [long, numbers("item dims", 1, H)], [all_dims], {0: ("i", 0)})
    model.op("FILL", [all_dims, nothing], [begin])
    rows, _ = loop(model, turned, steps, T, I, [h0], cell, H, True, True, begin)
    y = model.tensor("y", (1, T, H), open_dim=1)
    model.op("TRANSPOSE", [rows, order], [y])
    model.inputs, model.outputs = [x], [y]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    state, ys = np.zeros((1, H)), []
    for row in data:
        state = np.tanh(row @ W.T.astype(float) + state @ U.T.astype(float) + b)
        ys.append(state)
    save("looped_rnn", model, data, np.stack(ys))
