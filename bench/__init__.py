"""Heavy runs and timings: `python -m bench [NAME …] [--data DIR]`. Results go to bench/results/NAME.json."""
