"""Many tasks on one thread: the heap of due times, retried calls, what a task is given."""
