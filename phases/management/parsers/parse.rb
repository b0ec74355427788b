# One line of base64 in, one digit out: 1 where Ruby can parse the text.
$VERBOSE = nil
$stdout.sync = true
$stdin.each_line do |line|
  source = line.unpack1("m").force_encoding("UTF-8")
  begin
    RubyVM::AbstractSyntaxTree.parse(source)
    puts 1
  rescue SyntaxError, ArgumentError
    puts 0
  end
end
