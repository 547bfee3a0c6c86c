"""What scripts/bench is made of. shapes: which and their regimes; contestants: who is timed; results: the data file;
page and roofline: docs/performance.md and its figure, from the data file alone."""
