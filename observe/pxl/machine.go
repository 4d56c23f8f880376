package pxl

import (
	"context"
	"fmt"

	"go.starlark.net/syntax"
)

// value is nil (None), bool, int64, float64, string, *table.Column, *frame, list, *function, *builtin, or one of the
// small types below.
type value any

type (
	list []value
	// pxModule is `px`.
	pxModule struct{}
	// contextOf is df.ctx.
	contextOf struct{ df *frame }
	// grouped is df.groupby(…).
	grouped struct {
		df   *frame
		keys []string
	}
	// method is df.head and the like.
	method struct {
		df    any
		name  string
		begin syntax.Position
	}
)

// function is a def of the script.
type function struct {
	def  *syntax.DefStmt
	outs *scope
}

// scope holds the names of the script or of one call.
type scope struct {
	names map[string]value
	outer *scope
}

func (s *scope) find(name string) (value, bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.names[name]; ok {
			return v, true
		}
	}
	return nil, false
}

// machine evaluates one script. Errors are panics of *Error, which Run recovers.
type machine struct {
	ctx    context.Context
	script string
	env    Env
	result *Result
	depth  int
}

type stopped struct{ err error }

func (m *machine) fail(at syntax.Position, msg, hint string) {
	panic(&Error{Script: m.script, Line: int(at.Line), Col: int(at.Col), Msg: msg, Hint: hint})
}

func (m *machine) failf(at syntax.Position, format string, args ...any) {
	m.fail(at, fmt.Sprintf(format, args...), "")
}

const statements = "PxL has assignments, expressions, def and return"

// block runs statements; returned tells that a return statement ended it.
func (m *machine) block(stmts []syntax.Stmt, s *scope) (result value, returned bool) {
	for _, stmt := range stmts {
		if err := m.ctx.Err(); err != nil {
			panic(stopped{fmt.Errorf("%s: %w", m.script, err)})
		}
		at, _ := stmt.Span()
		switch stmt := stmt.(type) {
		case *syntax.AssignStmt:
			m.assign(stmt, s)
		case *syntax.ExprStmt:
			m.eval(stmt.X, s)
		case *syntax.DefStmt:
			s.names[stmt.Name.Name] = &function{stmt, s}
		case *syntax.ReturnStmt:
			if stmt.Result == nil {
				return nil, true
			}
			return m.eval(stmt.Result, s), true
		case *syntax.BranchStmt:
			if stmt.Token != syntax.PASS {
				m.fail(at, stmt.Token.String()+": unsupported statement", statements)
			}
		case *syntax.IfStmt:
			m.fail(at, "if: unsupported statement", statements+"; px.select(condition, a, b) chooses between values")
		case *syntax.ForStmt:
			m.fail(at, "for: unsupported statement", statements)
		case *syntax.WhileStmt:
			m.fail(at, "while: unsupported statement", statements)
		default:
			m.fail(at, "unsupported statement", statements)
		}
	}
	return nil, false
}

// assign binds a name, or makes a column. A DataFrame is a value: giving it a column makes a new one under that name.
func (m *machine) assign(stmt *syntax.AssignStmt, s *scope) {
	at, _ := stmt.Span()
	if stmt.Op != syntax.EQ {
		m.failf(at, "%s: unsupported, write it out", stmt.Op)
	}
	v := m.eval(stmt.RHS, s)
	column := func(x syntax.Expr, name string) {
		id, ok := x.(*syntax.Ident)
		if !ok {
			m.fail(at, "a column can be assigned to a DataFrame's name only", "df.x = …")
		}
		df, ok := m.eval(x, s).(*frame)
		if !ok {
			m.failf(at, "%s: is no DataFrame", id.Name)
		}
		s.names[id.Name] = df.with(name, m.column(at, v, df.rows))
	}
	switch to := stmt.LHS.(type) {
	case *syntax.Ident:
		s.names[to.Name] = v
	case *syntax.DotExpr:
		column(to.X, to.Name.Name)
	case *syntax.IndexExpr:
		name, ok := m.eval(to.Y, s).(string)
		if !ok {
			m.fail(at, "the name of a column is expected in the brackets", "df['x'] = …")
		}
		column(to.X, name)
	default:
		m.fail(at, "unsupported assignment", "x = …, df.x = …, df['x'] = …")
	}
}

// arguments are those of a call.
type arguments struct {
	at    syntax.Position
	pos   []value
	named map[string]value
	order []string // of the named
}

const maxDepth = 40

// invoke calls a function of the script.
func (m *machine) invoke(f *function, args arguments) value {
	if m.depth++; m.depth > maxDepth {
		m.failf(args.at, "%s: calls go deeper than %d", f.def.Name.Name, maxDepth)
	}
	defer func() { m.depth-- }()
	s := &scope{names: map[string]value{}, outer: f.outs}
	if len(args.pos) > len(f.def.Params) {
		m.failf(args.at, "%s: takes %d arguments, got %d", f.def.Name.Name, len(f.def.Params), len(args.pos))
	}
	used := 0
	for i, param := range f.def.Params {
		name, fallback := "", syntax.Expr(nil)
		switch p := param.(type) {
		case *syntax.Ident:
			name = p.Name
		case *syntax.BinaryExpr:
			name, fallback = p.X.(*syntax.Ident).Name, p.Y
		default:
			at, _ := param.Span()
			m.failf(at, "%s: unsupported parameter", f.def.Name.Name)
		}
		if v, ok := args.named[name]; ok {
			if i < len(args.pos) {
				m.failf(args.at, "%s: %s is given twice", f.def.Name.Name, name)
			}
			s.names[name] = v
			used++
			continue
		}
		switch {
		case i < len(args.pos):
			s.names[name] = args.pos[i]
		case fallback != nil:
			s.names[name] = m.eval(fallback, f.outs)
		default:
			m.failf(args.at, "%s: %s is missing", f.def.Name.Name, name)
		}
	}
	if used < len(args.named) {
		for name := range args.named {
			if _, ok := s.names[name]; !ok {
				m.failf(args.at, "%s: has no parameter %s", f.def.Name.Name, name)
			}
		}
	}
	v, _ := m.block(f.def.Body, s)
	return v
}
