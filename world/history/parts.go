package history

// byKey takes transactions apart: each key by itself is a register, read by those who look and compared and set by those
// who change it. Of a list, the element that was appended is the last one.
func byKey(ops []*Operation) (keys []string, of map[string][]*Operation) {
	of = map[string][]*Operation{}
	add := func(o Operation) {
		if of[o.Key] == nil {
			keys = append(keys, o.Key)
		}
		of[o.Key] = append(of[o.Key], &o)
	}
	for _, o := range ops {
		if o.Kind != Txn {
			add(*o)
			continue
		}
		for _, p := range o.Parts {
			one := *o
			one.Key, one.Parts = p.Key, nil
			if one.Conflict {
				continue // that something else was there tells not where
			}
			one.Found, one.Got = p.Found, p.Got
			switch {
			case p.Set && p.Found:
				one.Kind, one.Expect, one.Value = CAS, p.Got, p.Value
			case p.Set:
				one.Kind, one.Value = Write, p.Value
			default:
				one.Kind, one.Act = Read, ""
			}
			if e := Elements(one.Value); o.Work == Lists && len(e) > 0 {
				one.Element = e[len(e)-1]
			}
			add(one)
		}
	}
	return keys, of
}

// eachKey lets a judge of single keys judge those of transactions.
func eachKey(f judge) judge {
	return func(h History, ops []*Operation) (int, error) {
		judged := 0
		keys, of := byKey(ops)
		for _, key := range keys {
			n, err := f(h, of[key])
			judged += n
			if err != nil {
				return judged, err
			}
		}
		return judged, nil
	}
}
