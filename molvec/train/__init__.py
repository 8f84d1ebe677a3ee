"""The pretraining loop and what it needs: schedules, logs, checkpoints, resuming."""
