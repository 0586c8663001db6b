"""What the replicas of a job used over time: CPU, memory, disk, network."""
