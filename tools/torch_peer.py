"""Runs a state_dict in PyTorch for `rnnc bench --against torch`, which starts it with `python3 -c` and a folder as argument.

The folder has weights.safetensors, x.f32 (a row of x after the other) and request.json. The program writes y.f32 there
and the line `ready VERSION`; then it answers each line `turn SECONDS` by a line of times of calls, in nanoseconds. A
line `failed WHY` is its last one.
"""
import json
import os
import sys
import time


def fail(why):
    print("failed", str(why).replace("\n", " "), flush=True)
    sys.exit(1)


try:
    import torch
except ImportError as error:
    fail(f"missing: {error}")

ELEMENT_TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def load_tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] not in ELEMENT_TYPES:
            continue
        begin, end = entry["data_offsets"]
        values = torch.frombuffer(data[begin:end] or bytearray(8), dtype=ELEMENT_TYPES[entry["dtype"]])
        tensors[name] = values[: (end - begin) // values.element_size()].reshape(entry["shape"]).float()
    return tensors


def recurrent(tensors, relu):
    """torch.nn.LSTM, GRU or RNN with these tensors: gates, layers and directions are what their shapes and names say."""
    weight = tensors["weight_ih_l0"]
    projection = tensors["weight_hr_l0"].shape[0] if "weight_hr_l0" in tensors else 0
    hidden = tensors["weight_hr_l0"].shape[1] if projection else tensors["weight_hh_l0"].shape[1]
    sizes = {
        "input_size": weight.shape[1],
        "hidden_size": hidden,
        "num_layers": sum(1 for name in tensors if name.startswith("weight_ih_l") and not name.endswith("_reverse")),
        "bidirectional": "weight_ih_l0_reverse" in tensors,
        "bias": "bias_ih_l0" in tensors,
    }
    gates = weight.shape[0] // hidden
    if gates == 4:
        return torch.nn.LSTM(**sizes, **({"proj_size": projection} if projection else {}))
    if gates == 3:
        return torch.nn.GRU(**sizes)
    return torch.nn.RNN(**sizes, nonlinearity="relu" if relu else "tanh")


def module_of(tensors, prefix, relu):
    own = {name[len(prefix):]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    own = {name: tensor for name, tensor in own.items() if name.startswith(("weight", "bias")) and "." not in name}
    if "weight_ih_l0" in own:
        module = recurrent(own, relu)
    elif "weight" in own and own["weight"].dim() == 2:
        module = torch.nn.Linear(own["weight"].shape[1], own["weight"].shape[0], bias="bias" in own)
    else:
        fail(f"'{prefix}' is neither a recurrent module of torch.nn nor a torch.nn.Linear")
    module.load_state_dict(own)
    return module.eval()


def main(folder):
    with open(os.path.join(folder, "request.json"), encoding="utf-8") as file:
        request = json.load(file)
    torch.set_num_threads(request["threads"])
    torch.set_flush_denormal(True)
    tensors = load_tensors(os.path.join(folder, "weights.safetensors"))
    ends = "weight_ih_l0"
    prefixes = request["prefixes"] or [name[: -len(ends)] for name in tensors if name.endswith(ends)][:1]
    prefixes = [prefix + "." if prefix and not prefix.endswith(".") else prefix for prefix in prefixes]
    modules = [module_of(tensors, prefix, request["relu"]) for prefix in prefixes]
    with open(os.path.join(folder, "x.f32"), "rb") as file:
        x = torch.frombuffer(bytearray(file.read()), dtype=torch.float32).reshape(request["shape"])

    def call():
        y = x
        for module in modules:
            y = module(y)
            y = y[0] if isinstance(y, tuple) else y
        return y

    with torch.no_grad():
        y = call().contiguous()
        with open(os.path.join(folder, "y.f32"), "wb") as file:
            file.write(bytes(y.untyped_storage() if hasattr(y, "untyped_storage") else y.storage().untyped()))
        for _ in range(3):
            call()
        print("ready", torch.__version__, flush=True)
        for line in sys.stdin:
            seconds = float(line.split()[1])
            times, begin = [], time.perf_counter_ns()
            while not times or (time.perf_counter_ns() - begin < seconds * 1e9 and len(times) < 20000):
                start = time.perf_counter_ns()
                call()
                times.append(time.perf_counter_ns() - start)
            print(*times, flush=True)


try:
    main(sys.argv[1])
except Exception as error:  # pylint: disable=broad-except
    fail(f"{type(error).__name__}: {error}")
