"""Models of loops with several sequences, as tensors and as TensorFlow's own lists, and of tokens and variables."""

import numpy as np
from loops import in_place
from writer import Model, matrix, save

I, J, H, P, T = 3, 2, 4, 5, 6


class Lists:
    """The operators of a graph with several sequences: rows of a tensor, or items of TensorFlow's lists."""

    def __init__(self, graph, as_lists):
        self.graph, self.as_lists, self.zero = graph, as_lists, graph.constant("number 0", np.array(0, np.int32))

    def variable(self, name, rows, size):
        return (
            self.graph.tensor(name, (), kind="variant") if self.as_lists else self.graph.tensor(name, (rows, 1, size))
        )

    def begin(self, name, rows, size):
        """What the loop's rows begin with."""
        if not self.as_lists:
            return self.graph.constant(name, np.full((rows, 1, size), 7, np.float32))
        shape = self.graph.constant(f"items of {name}", np.array([-1, size], np.int32))
        count = self.graph.constant(f"count of {name}", np.array(rows, np.int32))
        self.graph.op("FlexTensorListReserve", [shape, count], [self.variable(name, rows, size)])
        return len(self.graph.tensors) - 1

    def write(self, rows, item, number, count, size):
        """Row `number` becomes `item`; the last row of one where `count` is 1."""
        number = self.zero if count == 1 else number
        if not self.as_lists:
            return in_place(self.graph, rows, item, number, count, size, True)
        written = self.variable("written", count, size)
        self.graph.op("FlexTensorListSetItem", [rows, number, item], [written])
        return written

    def stack(self, rows, count, size):
        if not self.as_lists:
            return rows
        stacked = self.graph.tensor("stacked", (count, 1, size))
        shape = self.graph.constant("items", np.array([-1, size], np.int32))
        self.graph.op("FlexTensorListStack", [rows, shape], [stacked])
        return stacked


def several(random, name, as_lists, variant=""):
    """A cell of one's own: it reads two sequences, gives its state, half its product of gates of other size, and the last
    such product. `variant` makes another model of it, which is no recurrence:
      other_row    writes row 1 in each step
      reads_list   reads what the first step wrote
      long_list    has a list of one more item than steps
      in_calls     has a weight that each call writes anew
      computed     casts what it computed to whole numbers"""
    W, V, U = matrix(random, H, I), matrix(random, H, J), matrix(random, H, H)
    G, D = matrix(random, P, H), matrix(random, 3, P)
    model = Model()
    x, turned = model.tensor("x", (1, T, I + J)), model.tensor("turned", (T, 1, I + J))
    order = model.constant("order", np.array([1, 0, 2], np.int32))
    model.op("TRANSPOSE", [x, order], [turned])
    parts = [model.tensor("a", (T, 1, I)), model.tensor("b", (T, 1, J))]
    sizes = model.constant("sizes", np.array([I, -1], np.int32))
    model.op("SPLIT_V", [turned, sizes, model.constant("dim", np.array(2, np.int32))], parts, {0: ("i", 2)})
    condition, body = Model(model), Model(model)
    lists, around = Lists(body, as_lists), Lists(model, as_lists)
    long = T + (variant == "long_list")
    all_rows = ((long, H), (T, P), (1, P))

    def variables(graph):
        whole = [graph.tensor(n, (), kind="i4") for n in ("loop_counter", "time")]
        of = Lists(graph, as_lists)
        kept = [of.variable(f"rows{k}", *each) for k, each in enumerate(all_rows)]
        read = of.variable("b of the loop", T, J)
        handle = [graph.tensor("handle", (), kind="resource")] if as_lists else []
        return whole + kept + [graph.tensor("h", (1, H)), graph.tensor("a of the loop", (T, 1, I)), read] + handle

    condition.inputs, condition.outputs = variables(condition), [condition.tensor("goes on", (), kind="?")]
    condition.op("LESS", [condition.inputs[1], condition.constant("T", np.array(T, np.int32))], condition.outputs)
    body.inputs = variables(body)
    number, h = body.inputs[1], body.inputs[5]
    one = body.constant("one", np.array(1, np.int32))
    counters = [body.tensor(n, (), kind="i4") for n in ("next_counter", "next_time")]
    for k in (0, 1):
        body.op("ADD", [body.inputs[k], one], [counters[k]])
    a, b = body.tensor("a of the step", (1, I)), body.tensor("b of the step", (1, J))
    body.op("GATHER", [body.inputs[6], number], [a], {0: ("i", 0)})
    if as_lists:
        shape = body.constant("items of b", np.array([-1, J], np.int32))
        body.op("FlexTensorListGetItem", [body.inputs[7], number, shape], [b])
    else:
        body.op("GATHER", [body.inputs[7], number], [b], {0: ("i", 0)})
    weights = body.constant("U", U)
    if as_lists:
        weights = body.tensor("U", (H, H))
        body.op("READ_VARIABLE", [body.inputs[8]], [weights])
    sums = [body.tensor(f"sum{k}", (1, H)) for k in range(5)]
    body.op("FULLY_CONNECTED", [a, body.constant("W", W), -1], [sums[0]])
    body.op("FULLY_CONNECTED", [b, body.constant("V", V), -1], [sums[1]])
    body.op("BATCH_MATMUL", [h, weights], [sums[2]], {1: ("B", 1)})
    body.op("ADD", [sums[0], sums[1]], [sums[3]])
    body.op("ADD", [sums[3], sums[2]], [sums[4]])
    new, gate, half = body.tensor("new", (1, H)), body.tensor("gate", (1, P)), body.tensor("half", (1, P))
    body.op("TANH", [sums[4]], [new])
    body.op("FULLY_CONNECTED", [new, body.constant("G", G), -1], [gate])
    body.op("MUL", [gate, body.constant("1/2", np.float32(0.5))], [half])
    if variant == "reads_list":
        first, more = body.tensor("first", (1, P)), body.tensor("more", (1, P))
        body.op(
            "FlexTensorListGetItem",
            [body.inputs[3], lists.zero, body.constant("i", np.array([1, P], np.int32))],
            [first],
        )
        body.op("ADD", [half, first], [more])
        half = more
    row = one if variant == "other_row" else number
    written = [lists.write(body.inputs[2], new, row, long, H), lists.write(body.inputs[3], half, number, T, P)]
    written.append(lists.write(body.inputs[4], gate, number, 1, P))
    body.outputs = [*counters, *written, new, *body.inputs[6:]]

    begin, read, handles = model.constant("begin", np.array(0, np.int32)), parts[1], []
    if as_lists:
        read = model.tensor("list of b", (), kind="variant")
        model.op("FlexTensorListFromTensor", [parts[1], model.constant("items b", np.array([-1, J], np.int32))], [read])
        first_call, handles = Model(model), [model.tensor("handle", (), kind="resource")]
        to = first_call.tensor("handle", (), kind="resource")
        name_of_U = {0: ("B", ""), 1: ("B", "weights/U")}
        first_call.op("VAR_HANDLE", [], [to], name_of_U)
        first_call.op("ASSIGN_VARIABLE", [to, first_call.constant("U", U)], [])
        model.op("CALL_ONCE", [], [], {0: ("i", model.graphs.index(first_call))})
        model.op("VAR_HANDLE", [], handles, name_of_U)
        # Keras counts the random numbers that it did not draw.
        seed, old, next_ = model.tensor("seed", (), kind="resource"), model.tensor("old", (2,)), model.tensor("n", (2,))
        model.op("VAR_HANDLE", [], [seed], {1: ("B", "seed")})
        model.op("READ_VARIABLE", [seed], [old])
        model.op("ADD", [old, old], [next_])
        model.op("ASSIGN_VARIABLE", [seed, next_], [])
        if variant == "in_calls":
            model.op("ASSIGN_VARIABLE", [handles[0], model.constant("U of a call", U)], [])
        if variant == "in_branch":  # of which a graph may write the variable
            is_on = model.constant("is on", np.array([True]))
            model.op("IF", [is_on, handles[0]], [model.tensor("of the branch", (1,))])
    starts = [around.begin(f"start{k}", *each) for k, each in enumerate(all_rows)]
    h0 = model.constant("h0", np.full((1, H), 0.25, np.float32))
    inputs = [begin, begin, *starts, h0, parts[0], read, *handles]
    outputs = [model.tensor(f"loop:{k}", (), kind="i4") for k in (0, 1)]
    outputs += [around.variable(f"loop:rows{k}", *each) for k, each in enumerate(all_rows)]
    outputs += [model.tensor("loop:h", (1, H)), model.tensor("loop:a", (T, 1, I)), around.variable("loop:b", T, J)]
    outputs += [model.tensor("loop:handle", (), kind="resource") for _ in handles]
    model.op("WHILE", inputs, outputs, {0: ("i", model.graphs.index(condition)), 1: ("i", model.graphs.index(body))})
    stacks = [around.stack(outputs[2 + k], *each) for k, each in enumerate(all_rows)]
    spread, joined, y = (model.tensor(n, (*d, 2 * P + H)) for n, d in (("s", (T, 1)), ("j", (T, 1)), ("y", (1, T))))
    ends = [
        model.constant(n, np.array(v, np.int32)) for n, v in (("b", (-1, 0, 0)), ("e", (0, 0, P)), ("s", (1, 1, 1)))
    ]
    last, dense = model.tensor("last", (1, P)), model.tensor("dense", (1, P))
    model.op("STRIDED_SLICE", [stacks[2], *ends], [last], {0: ("i", 6), 1: ("i", 7), 4: ("i", 1)})
    model.op("TANH", [last], [dense])
    twice = model.tensor("twice", (T, 1, P))
    model.op("ADD", [stacks[1], dense], [twice])
    model.op("CONCATENATION", [stacks[0], stacks[1], twice], [joined], {0: ("i", 2)})
    model.op("TRANSPOSE", [joined, order], [y])
    model.inputs, model.outputs = [x], [y]
    if variant:
        return model.save(name + ".tflite")
    data = random.standard_normal((T, 1, I + J)).astype(np.float32)
    state, states, gated = np.full((1, H), 0.25), [], []
    for step in data.astype(float):
        state = np.tanh(step[:, :I] @ W.T + step[:, I:] @ V.T + state @ U.T.astype(float))
        states.append(state)
        gated.append(state @ G.T.astype(float))
    states, gated = np.stack(states), np.stack(gated)
    save(name, model, data, np.concatenate([states, gated / 2, gated / 2 + np.tanh(gated[-1:])], axis=2))


def two_rows(random):
    several(random, "two_rows", False)


def two_lists(random):
    several(random, "two_lists", True)


def refused_lists(random):
    for variant in ("other_row", "reads_list", "long_list", "in_calls", "in_branch"):
        several(random, variant, True, variant)
    tokens(random, "computed_tokens")


def tokens(random, name="tokens"):
    """Keras's Embedding: floats are cast to whole numbers, of which those below 0 count from the end."""
    E, W, U = matrix(random, 7, I), matrix(random, H, I), matrix(random, H, H)
    model = Model()
    x, whole = model.tensor("x", (1, T), open_dim=1), model.tensor("whole", (1, T), kind="i4", open_dim=1)
    from_end, place = (model.tensor(n, (1, T), kind="i4", open_dim=1) for n in ("from the end", "place"))
    below, rows = model.tensor("below", (1, T), kind="?", open_dim=1), model.tensor("rows", (1, T, I), open_dim=1)
    y, given = model.tensor("y", (1, T, H), open_dim=1), x
    if name == "computed_tokens":
        given = model.tensor("half", (1, T), open_dim=1)
        model.op("MUL", [x, model.constant("1/2", np.float32(0.5))], [given])
    model.op("CAST", [given], [whole])
    model.op("LESS", [whole, model.constant("0", np.array(0, np.int32))], [below])
    model.op("ADD", [whole, model.constant("7", np.array(7, np.int32))], [from_end])
    model.op("SELECT_V2", [below, from_end, whole], [place])
    model.op("GATHER", [model.constant("E", E), place], [rows], {0: ("i", 0)})
    weights = [model.constant("W", W), model.constant("U", U), model.constant("b", np.zeros(H, np.float32))]
    model.op(
        "UNIDIRECTIONAL_SEQUENCE_RNN", [rows, *weights, model.tensor("h", (1, H), variable=True)], [y], {1: ("b", 4)}
    )
    model.inputs, model.outputs = [x], [y]
    if name != "tokens":
        return model.save(name + ".tflite")
    data, state, ys = np.array([0, 6, 3, -1, -7, 2]).reshape(T, 1, 1), np.zeros((1, H)), []
    for token in data[:, 0, 0]:
        state = np.tanh(E[token].astype(float) @ W.T + state @ U.T.astype(float))
        ys.append(state)
    save("tokens", model, data, np.stack(ys))
