// Package jsonpath finds a value inside a JSON document by a path as testers write it, in sentences ("the response
// JSON at "a.b[0]" is …") and in service files (value: json:a.b).
//
//	a.b[0]          member a, in it member b, of it the first element
//	[1].name        the document is a list
//	labels["x.y"]   a member whose name holds a point
//	(empty)         the whole document
//
//	p, err := jsonpath.Parse("kvs[0].value")
//	text, found, err := p.Find([]byte(`{"kvs":[{"value":"v1"}]}`)) // "v1", true, nil
//
// The package owns nothing and imports nothing of ours.
package jsonpath
