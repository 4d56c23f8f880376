package pxl

import (
	"cmp"
	"math"

	"go.starlark.net/syntax"

	"brine.test/brine/observe/table"
)

// operand is one side of an operator: a column, or a scalar as a column of one row that stands for every row.
type operand struct {
	*table.Column
	step int // 1 for a column, 0 for a scalar
}

// asColumn makes a column of one row of a scalar; nil when it is none.
func asColumn(v value) *table.Column {
	switch v := v.(type) {
	case bool:
		return &table.Column{Type: table.Boolean, Bools: []bool{v}}
	case int64:
		return &table.Column{Type: table.Int64, Ints: []int64{v}}
	case float64:
		return &table.Column{Type: table.Float64, Floats: []float64{v}}
	case string:
		return &table.Column{Type: table.String, Strings: []string{v}}
	}
	return nil
}

func (m *machine) operand(at syntax.Position, v value) operand {
	if c, ok := v.(*table.Column); ok {
		return operand{c, 1}
	}
	c := asColumn(v)
	if c == nil {
		m.failf(at, "a column or a value is expected, got %s", typeOf(v))
	}
	return operand{c, 0}
}

// column makes a column of n rows of a value.
func (m *machine) column(at syntax.Position, v value, n int) *table.Column {
	o := m.operand(at, v)
	if o.step == 1 {
		if o.Len() != n {
			m.failf(at, "a column of %d rows does not fit into a DataFrame of %d: it is of another DataFrame", o.Len(), n)
		}
		return o.Column
	}
	return gather(o.Column, make([]int32, n))
}

// rows is how many rows an operator's result has.
func (m *machine) rows(at syntax.Position, operands ...operand) (n int, scalar bool) {
	n, scalar = 1, true
	for _, o := range operands {
		if o.step == 0 {
			continue
		}
		if !scalar && o.Len() != n {
			m.failf(at, "columns of %d and %d rows: they are of different DataFrames", n, o.Len())
		}
		n, scalar = o.Len(), false
	}
	return n, scalar
}

// scalarOf gives a column of one row as its value again.
func scalarOf(c *table.Column, scalar bool) value {
	if scalar {
		return c.At(0)
	}
	return c
}

func isInt(c *table.Column) bool { return c.Type == table.Int64 || c.Type == table.Time64NS }

func isNumber(c *table.Column) bool {
	return isInt(c) || c.Type == table.Float64 || c.Type == table.Boolean
}

func isText(c *table.Column) bool { return c.Type == table.String || c.Type == table.Uint128 }

// floats gives a column of numbers as floats.
func floats(c *table.Column) []float64 {
	if c.Type == table.Float64 {
		return c.Floats
	}
	out := make([]float64, c.Len())
	for i := range out {
		out[i], _ = c.Number(i)
	}
	return out
}

// ints gives a column of integers or booleans as integers.
func ints(c *table.Column) []int64 {
	if isInt(c) {
		return c.Ints
	}
	out := make([]int64, c.Len())
	for i := range out {
		v, _ := c.Number(i)
		out[i] = int64(v)
	}
	return out
}

func (m *machine) unary(at syntax.Position, op syntax.Token, v value) value {
	o := m.operand(at, v)
	n, scalar := m.rows(at, o)
	out := &table.Column{}
	switch {
	case op == syntax.NOT && o.Type == table.Boolean:
		out.Type, out.Bools = table.Boolean, make([]bool, n)
		for i, b := range o.Bools {
			out.Bools[i] = !b
		}
	case op == syntax.PLUS && isNumber(o.Column):
		return v
	case op == syntax.MINUS && isInt(o.Column):
		out.Type, out.Ints = table.Int64, make([]int64, n)
		for i, x := range o.Ints {
			out.Ints[i] = -x
		}
	case op == syntax.MINUS && o.Type == table.Float64:
		out.Type, out.Floats = table.Float64, make([]float64, n)
		for i, x := range o.Floats {
			out.Floats[i] = -x
		}
	default:
		m.failf(at, "%s: unsupported for %s", op, typeOf(v))
	}
	return scalarOf(out, scalar)
}

// binary applies an operator row by row; a scalar stands for every row. and, or, not work on columns in PxL.
func (m *machine) binary(at syntax.Position, op syntax.Token, x, y value) value {
	a, b := m.operand(at, x), m.operand(at, y)
	n, scalar := m.rows(at, a, b)
	var out *table.Column
	switch op {
	case syntax.AND, syntax.OR:
		if a.Type == table.Boolean && b.Type == table.Boolean {
			out = logic(op, a, b, n)
		}
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE:
		switch {
		case isText(a.Column) && isText(b.Column):
			out = compare(op, a.Strings, b.Strings, a.step, b.step, n)
		case isInt(a.Column) && isInt(b.Column):
			out = compare(op, a.Ints, b.Ints, a.step, b.step, n)
		case isNumber(a.Column) && isNumber(b.Column):
			out = compare(op, floats(a.Column), floats(b.Column), a.step, b.step, n)
		}
	case syntax.PLUS, syntax.MINUS, syntax.STAR, syntax.SLASH, syntax.SLASHSLASH, syntax.PERCENT:
		switch {
		case op == syntax.PLUS && isText(a.Column) && isText(b.Column):
			out = &table.Column{Type: table.String, Strings: make([]string, n)}
			for i := range n {
				out.Strings[i] = a.Strings[i*a.step] + b.Strings[i*b.step]
			}
		case isNumber(a.Column) && isNumber(b.Column):
			out = m.arithmetic(at, op, a, b, n)
		}
	default:
		m.fail(at, op.String()+": unsupported operator", "and or not == != < <= > >= + - * / // %")
	}
	if out == nil {
		m.failf(at, "%s: unsupported for %s and %s", op, typeOf(x), typeOf(y))
	}
	return scalarOf(out, scalar)
}

func logic(op syntax.Token, a, b operand, n int) *table.Column {
	out := &table.Column{Type: table.Boolean, Bools: make([]bool, n)}
	for i := range n {
		p, q := a.Bools[i*a.step], b.Bools[i*b.step]
		out.Bools[i] = p && q || op == syntax.OR && (p || q)
	}
	return out
}

func compare[T cmp.Ordered](op syntax.Token, a, b []T, stepA, stepB, n int) *table.Column {
	out := &table.Column{Type: table.Boolean, Bools: make([]bool, n)}
	for i := range n {
		x, y := a[i*stepA], b[i*stepB]
		var holds bool
		switch op {
		case syntax.EQL:
			holds = x == y
		case syntax.NEQ:
			holds = x != y
		case syntax.LT:
			holds = x < y
		case syntax.LE:
			holds = x <= y
		case syntax.GT:
			holds = x > y
		case syntax.GE:
			holds = x >= y
		}
		out.Bools[i] = holds
	}
	return out
}

// arithmetic on integers gives integers but for /, which always gives a float, as in Python. Times keep being times
// when something is added or taken away.
func (m *machine) arithmetic(at syntax.Position, op syntax.Token, a, b operand, n int) *table.Column {
	if a.Type == table.Float64 || b.Type == table.Float64 || op == syntax.SLASH {
		return &table.Column{Type: table.Float64, Floats: floatArithmetic(op, floats(a.Column), floats(b.Column), a.step, b.step, n)}
	}
	out := &table.Column{Type: table.Int64, Ints: make([]int64, n)}
	if (op == syntax.PLUS || op == syntax.MINUS) && (a.Type == table.Time64NS) != (b.Type == table.Time64NS) {
		out.Type = table.Time64NS
	}
	p, q := ints(a.Column), ints(b.Column)
	for i := range n {
		x, y := p[i*a.step], q[i*b.step]
		switch op {
		case syntax.PLUS:
			x += y
		case syntax.MINUS:
			x -= y
		case syntax.STAR:
			x *= y
		default:
			if y == 0 {
				m.failf(at, "%s: by zero", op)
			}
			floor := floorDiv(x, y)
			if op == syntax.PERCENT {
				x -= floor * y
			} else {
				x = floor
			}
		}
		out.Ints[i] = x
	}
	return out
}

// floorDiv rounds down, as Python does.
func floorDiv(x, y int64) int64 {
	if y == -1 {
		return -x // the lowest number has no opposite: it stays, and the processor does not trap
	}
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

func floatArithmetic(op syntax.Token, a, b []float64, stepA, stepB, n int) []float64 {
	out := make([]float64, n)
	for i := range n {
		x, y := a[i*stepA], b[i*stepB]
		switch op {
		case syntax.PLUS:
			x += y
		case syntax.MINUS:
			x -= y
		case syntax.STAR:
			x *= y
		case syntax.SLASH:
			x /= y
		case syntax.SLASHSLASH:
			x = math.Floor(x / y)
		case syntax.PERCENT:
			x -= y * math.Floor(x/y)
		}
		out[i] = x
	}
	return out
}
