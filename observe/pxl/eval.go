package pxl

import (
	"fmt"
	"math/big"

	"go.starlark.net/syntax"

	"brine.test/brine/observe/table"
)

// eval gives an expression's value.
func (m *machine) eval(x syntax.Expr, s *scope) value {
	at, _ := x.Span()
	switch x := x.(type) {
	case *syntax.ParenExpr:
		return m.eval(x.X, s)
	case *syntax.Literal:
		return m.literal(at, x)
	case *syntax.Ident:
		return m.name(at, x.Name, s)
	case *syntax.ListExpr:
		return m.list(x.List, s)
	case *syntax.TupleExpr:
		return m.list(x.List, s)
	case *syntax.DictExpr:
		for _, entry := range x.List {
			m.eval(entry.(*syntax.DictEntry).Value, s)
		}
		return dict{}
	case *syntax.UnaryExpr:
		if x.X == nil {
			break
		}
		return m.unary(at, x.Op, m.eval(x.X, s))
	case *syntax.BinaryExpr:
		return m.binary(x.OpPos, x.Op, m.eval(x.X, s), m.eval(x.Y, s))
	case *syntax.DotExpr:
		return m.dot(x.Name.NamePos, m.eval(x.X, s), x.Name.Name)
	case *syntax.IndexExpr:
		return m.index(x.Lbrack, m.eval(x.X, s), m.eval(x.Y, s))
	case *syntax.CallExpr:
		return m.call(x, s)
	}
	m.fail(at, fmt.Sprintf("%s: unsupported expression", kindOf(x)), "PxL has names, literals, lists, operators, calls, df.column and df[…]")
	return nil
}

func kindOf(x syntax.Expr) string {
	switch x.(type) {
	case *syntax.CondExpr:
		return "a if b else c"
	case *syntax.LambdaExpr:
		return "lambda"
	case *syntax.Comprehension:
		return "comprehension"
	case *syntax.SliceExpr:
		return "[a:b]"
	}
	return "this"
}

func (m *machine) literal(at syntax.Position, x *syntax.Literal) value {
	switch v := x.Value.(type) {
	case string:
		return v
	case int64:
		return v
	case float64:
		return v
	case *big.Int:
		m.failf(at, "%s: does not fit into 64 bits", v)
	}
	m.failf(at, "%s: unsupported literal", x.Raw)
	return nil
}

func (m *machine) name(at syntax.Position, name string, s *scope) value {
	if v, ok := s.find(name); ok {
		return v
	}
	switch name {
	case "px":
		return pxModule{}
	case "True":
		return true
	case "False":
		return false
	case "None":
		return nil
	}
	m.fail(at, name+": is not defined", "")
	return nil
}

func (m *machine) list(xs []syntax.Expr, s *scope) value {
	out := make(list, len(xs))
	for i, x := range xs {
		out[i] = m.eval(x, s)
	}
	return out
}

// dot gives px.name, a column, or a method of a DataFrame.
func (m *machine) dot(at syntax.Position, x value, name string) value {
	switch x := x.(type) {
	case pxModule:
		if b := builtins[name]; b != nil {
			return b
		}
		m.fail(at, fmt.Sprintf("px.%s: unsupported function", name), "supported: "+supported())
	case *frame:
		if name == "ctx" {
			return contextOf{x}
		}
		if c := x.column(name); c != nil {
			return c
		}
		if methods[name] != nil {
			return method{x, name, at}
		}
		m.noColumn(at, x, name)
	case grouped:
		return method{x, name, at}
	}
	m.failf(at, "%s: %s has no such part", name, typeOf(x))
	return nil
}

func (m *machine) noColumn(at syntax.Position, df *frame, name string) {
	m.fail(at, fmt.Sprintf("%s: no such column or function of a DataFrame", name), "columns: "+df.list()+"; functions: "+methodNames())
}

// index gives df['x'], df[['x', 'y']], df[condition], or df.ctx['service'].
func (m *machine) index(at syntax.Position, x, i value) value {
	switch x := x.(type) {
	case contextOf:
		name, ok := i.(string)
		if !ok {
			m.fail(at, "df.ctx[…]: a name is expected", "df.ctx['service']")
		}
		if c := x.df.context(name); c != nil {
			return c
		}
		m.fail(at, fmt.Sprintf("df.ctx[%q]: there is no such context", name), "there is: "+x.df.contexts())
	case *frame:
		switch i := i.(type) {
		case string:
			if c := x.column(i); c != nil {
				return c
			}
			m.noColumn(at, x, i)
		case list:
			return m.selectColumns(at, x, m.strings(at, i))
		case bool:
			return x.keep(func(int) bool { return i })
		case *table.Column:
			if i.Type != table.Boolean {
				m.failf(at, "df[…]: a condition is BOOLEAN, this is %s", i.Type)
			}
			if len(i.Bools) != x.rows {
				m.failf(at, "df[…]: the condition has %d rows, the DataFrame %d: it is of another DataFrame", len(i.Bools), x.rows)
			}
			return x.keep(func(row int) bool { return i.Bools[row] })
		}
	case list:
		if n, ok := i.(int64); ok && n >= 0 && n < int64(len(x)) {
			return x[n]
		}
		m.failf(at, "[…]: no such place in a list of %d", len(x))
	}
	m.failf(at, "[…]: %s cannot be indexed by %s", typeOf(x), typeOf(i))
	return nil
}

// call calls px.f(…), a method, or a function of the script.
func (m *machine) call(x *syntax.CallExpr, s *scope) value {
	f := m.eval(x.Fn, s)
	at, _ := x.Span()
	args := arguments{at: at, named: map[string]value{}}
	for _, a := range x.Args {
		place, _ := a.Span()
		switch a := a.(type) {
		case *syntax.BinaryExpr:
			if a.Op == syntax.EQ {
				name := a.X.(*syntax.Ident).Name
				if _, twice := args.named[name]; twice {
					m.failf(place, "%s: is given twice", name)
				}
				args.named[name] = m.eval(a.Y, s)
				args.order = append(args.order, name)
				continue
			}
		case *syntax.UnaryExpr:
			if a.Op == syntax.STAR || a.Op == syntax.STARSTAR {
				m.failf(place, "%s in a call: unsupported", a.Op)
			}
		}
		args.pos = append(args.pos, m.eval(a, s))
	}
	switch f := f.(type) {
	case *builtin:
		return f.run(m, args)
	case *function:
		return m.invoke(f, args)
	case method:
		args.at = f.begin
		if g, ok := f.df.(grouped); ok {
			if f.name != "agg" {
				m.fail(args.at, f.name+": unsupported after groupby", "groupby(…).agg(…)")
			}
			return m.agg(g.df, g.keys, args)
		}
		return methods[f.name](m, f.df.(*frame), args)
	}
	m.failf(at, "%s cannot be called", typeOf(f))
	return nil
}

// typeOf names a value's type for a message.
func typeOf(v value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "BOOLEAN"
	case int64:
		return "INT64"
	case float64:
		return "FLOAT64"
	case string:
		return "STRING"
	case *table.Column:
		return "a column of " + v.Type.String()
	case *frame:
		return "a DataFrame"
	case list:
		return "a list"
	case dict:
		return "{…}"
	case *function:
		return v.def.Name.Name
	case *builtin:
		return "px." + v.name
	case pxModule:
		return "px"
	}
	return "this"
}

func (m *machine) strings(at syntax.Position, v value) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case list:
		out := make([]string, len(v))
		for i, x := range v {
			text, ok := x.(string)
			if !ok {
				m.failf(at, "a list of names is expected, it has %s", typeOf(x))
			}
			out[i] = text
		}
		return out
	}
	m.failf(at, "a name or a list of names is expected, got %s", typeOf(v))
	return nil
}
