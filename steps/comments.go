package steps

import (
	"embed"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// The sources travel in the binary: the doc comment of a step function is its entry in the printed catalogue.
//
//go:embed *.go
var sources embed.FS

// docComments gives the doc comment of every function of this package by the function's name.
func docComments() map[string]string {
	comments := map[string]string{}
	files, err := sources.ReadDir(".")
	if err != nil {
		return comments
	}
	for _, file := range files {
		source, err := sources.ReadFile(file.Name())
		if err != nil {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), source, parser.ParseComments)
		if err != nil {
			continue
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Doc != nil {
				comments[f.Name.Name] = f.Doc.Text()
			}
		}
	}
	return comments
}

// splitDoc separates what a doc comment says from its examples, the indented lines, and takes the function's name off
// its front.
func splitDoc(name, comment string) (doc string, examples []string) {
	var said []string
	for line := range strings.Lines(comment) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "\t"):
			examples = append(examples, strings.TrimSpace(line))
		case line != "":
			said = append(said, line)
		}
	}
	doc = strings.TrimPrefix(strings.Join(said, " "), name)
	return strings.TrimLeft(doc, ": "), examples
}
