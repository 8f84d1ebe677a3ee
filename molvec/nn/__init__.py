"""Networks: encoders, the predictor, readouts. They see batches of graphs and nothing else."""
