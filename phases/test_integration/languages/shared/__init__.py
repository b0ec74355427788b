"""Shared by Java, PHP and Elixir, whose tests are members of classes, modules or describes."""
