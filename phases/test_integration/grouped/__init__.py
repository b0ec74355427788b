"""What the languages share whose tests stand in groups: classes, modules, describes."""
