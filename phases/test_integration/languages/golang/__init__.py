"""Go: files of `go test`."""
