// One line of base64 in, one digit out: 1 where Go can parse the text.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"strings"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		source, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		if _, err := parser.ParseFile(token.NewFileSet(), "x.go", source, parser.AllErrors); err != nil {
			fmt.Println(0)
		} else {
			fmt.Println(1)
		}
	}
}
