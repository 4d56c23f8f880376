package pixie

import (
	"fmt"

	"brine.test/brine/observe/pixie/vizierpb"
	"brine.test/brine/observe/pxl"
	"brine.test/brine/observe/table"
)

// tables collects the tables of a stream: each one's metadata comes first, then its batches, then its end.
type tables struct {
	order []string // ids
	byID  map[string]*table.Table
	ended map[string]bool
}

func newTables() *tables {
	return &tables{byID: map[string]*table.Table{}, ended: map[string]bool{}}
}

func (t *tables) take(answer *vizierpb.ExecuteScriptResponse) error {
	if m := answer.GetMetaData(); m != nil {
		if t.byID[m.GetId()] != nil {
			return nil // told twice
		}
		made := table.New(m.GetName())
		for _, c := range m.GetRelation().GetColumns() {
			made.Columns = append(made.Columns, &table.Column{Name: c.GetColumnName(), Type: table.Type(c.GetColumnType())})
		}
		t.byID[m.GetId()] = made
		t.order = append(t.order, m.GetId())
		return nil
	}
	batch := answer.GetData().GetBatch()
	if batch == nil {
		return nil // statistics
	}
	to := t.byID[batch.GetTableId()]
	if to == nil {
		return fmt.Errorf("rows of a table %q that was not described", batch.GetTableId())
	}
	if n := len(batch.GetCols()); n > 0 && n != len(to.Columns) {
		return fmt.Errorf("table %s: %d columns came, %d were described", to.Name, n, len(to.Columns))
	}
	for i, c := range batch.GetCols() {
		had := to.Columns[i].Len()
		if err := add(to.Columns[i], c); err != nil {
			return fmt.Errorf("table %s: %w", to.Name, err)
		}
		if got := to.Columns[i].Len() - had; int64(got) != batch.GetNumRows() {
			return fmt.Errorf("table %s: column %s: %d values came, %d were announced", to.Name, to.Columns[i].Name, got, batch.GetNumRows())
		}
	}
	if batch.GetEos() {
		t.ended[batch.GetTableId()] = true
	}
	return nil
}

// result gives the tables; one that did not end is an error, for rows of it are missing.
func (t *tables) result() (*pxl.Result, error) {
	out := &pxl.Result{}
	for _, id := range t.order {
		if !t.ended[id] {
			return nil, fmt.Errorf("table %s: the stream broke off before its end", t.byID[id].Name)
		}
		out.Tables = append(out.Tables, t.byID[id])
	}
	return out, nil
}

func add(to *table.Column, c *vizierpb.Column) error {
	wrong := func(is bool) error {
		if !is {
			return fmt.Errorf("column %s: other values came than %s", to.Name, to.Type)
		}
		return nil
	}
	switch d := c.GetColData().(type) {
	case *vizierpb.Column_BooleanData:
		to.Bools = append(to.Bools, d.BooleanData.GetData()...)
		return wrong(to.Type == table.Boolean)
	case *vizierpb.Column_Int64Data:
		to.Ints = append(to.Ints, d.Int64Data.GetData()...)
		return wrong(to.Type == table.Int64)
	case *vizierpb.Column_Time64NsData:
		to.Ints = append(to.Ints, d.Time64NsData.GetData()...)
		return wrong(to.Type == table.Time64NS)
	case *vizierpb.Column_Float64Data:
		to.Floats = append(to.Floats, d.Float64Data.GetData()...)
		return wrong(to.Type == table.Float64)
	case *vizierpb.Column_StringData:
		for _, s := range d.StringData.GetData() {
			to.Strings = append(to.Strings, string(s))
		}
		return wrong(to.Type == table.String)
	case *vizierpb.Column_Uint128Data:
		for _, v := range d.Uint128Data.GetData() {
			to.Strings = append(to.Strings, uuid(v.GetHigh(), v.GetLow()))
		}
		return wrong(to.Type == table.Uint128)
	}
	return fmt.Errorf("column %s: no values", to.Name)
}

// uuid writes a 128-bit number as Pixie does.
func uuid(high, low uint64) string {
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
}
