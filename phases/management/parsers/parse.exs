# One line of base64 in, one digit out: 1 where Elixir can parse the text.
Code.compiler_options(ignore_module_conflict: true)
for line <- IO.stream(:stdio, :line) do
  source = line |> String.trim() |> Base.decode64!()
  case Code.string_to_quoted(source, emit_warnings: false) do
    {:ok, _} -> IO.puts("1")
    {:error, _} -> IO.puts("0")
  end
end
