"""Before an insertion: which framework a project uses, which test file to choose, how to name a new one."""
