"""What the system says about this machine."""
import glob
import os
import re


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def cpu_name(cpuinfo):
    match = re.search(r"^model name\s*: *(.+)$", cpuinfo, re.MULTILINE)
    return match[1] if match else "unknown CPU"


def cache_bytes():
    """{level: bytes} of the caches that hold data, as one core sees them."""
    sizes = {}
    for folder in glob.glob("/sys/devices/system/cpu/cpu0/cache/index*"):
        size = re.fullmatch(r"(\d+)([KM])", read(f"{folder}/size"))
        if size and read(f"{folder}/type") != "Instruction":
            sizes[int(read(f"{folder}/level"))] = int(size[1]) << {"K": 10, "M": 20}[size[2]]
    return dict(sorted(sizes.items()))


def size_text(size):
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def machine_text(cpuinfo, cpus, caches):
    return ", ".join([cpu_name(cpuinfo), f"{cpus} CPUs" if cpus != 1 else "1 CPU",
                      *(f"L{level} {size_text(size)}" for level, size in caches.items())])


def describe():
    return machine_text(read("/proc/cpuinfo"), os.cpu_count(), cache_bytes())


def reads_by_level(reads, caches):
    """[(level, GB/s)] from [(bytes of a working set, GB/s)]: of the sets that fill a level to half at most and none
    before it, the fastest; for memory, of those that are twice the last cache."""
    levels, before = [], 0
    for level, size in caches.items():
        fitting = [speed for set_size, speed in reads if before < set_size <= size / 2]
        if fitting:
            levels.append((f"L{level}", max(fitting)))
        before = size
    beyond = [speed for set_size, speed in reads if set_size >= 2 * before]
    return levels + ([("memory", max(beyond))] if beyond else [])
