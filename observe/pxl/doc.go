// Package pxl runs scripts of PxL, Pixie's query language (docs.px.dev, "PxL"), on tables held in memory: the subset
// that Pixie's own scripts about HTTP, services and connections use.
//
//	script ──► prepare: imports and annotations become blanks, lines and columns stay
//	       ──► Starlark's parser (PxL and Starlark are both Python's syntax)
//	       ──► evaluate: a DataFrame is columns behind row numbers; a filter makes row numbers, not copies
//	       ──► px.display(df, "name") ──► a table
//
// What is not supported is an error with the line, the name, and what there is instead. Quantiles are exact (between
// the values as a t-digest with one value per centroid has them) where Pixie's are approximate.
//
//	result, err := pxl.Run(ctx, pxl.Script{Name: "latency.py", Source: src}, pxl.Env{Tables: tables.Named()})
//	df := result.Table("output")
package pxl
