package record

import (
	"io"
	"reflect"
)

// clean returns the event without secrets. What it points to is copied when there is anything to search for, so the
// caller's values stay as they are. Fields tagged redact:"-" (ids, statuses, enumerations) are not searched: a password
// that happens to be "passed" must not change what the record says.
func (r *Redactor) clean(e Event) Event {
	if rep, _ := r.state(); rep == nil {
		return e
	}
	return r.value(reflect.ValueOf(e)).Interface().(Event)
}

func (r *Redactor) value(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		out := reflect.New(v.Type()).Elem()
		out.SetString(r.Redact(v.String()))
		return out
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(r.value(v.Elem()))
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return reflect.ValueOf([]byte(r.Redact(string(v.Bytes()))))
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(r.value(v.Index(i)))
		}
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("redact") != "-" {
				out.Field(i).Set(r.value(v.Field(i)))
			}
		}
		return out
	}
	return v
}

// Writer returns a writer that passes text on without the secrets that are known at each write. It holds back as much as
// the longest of them, so Close must be called; it closes nothing beneath.
func (r *Redactor) Writer(w io.Writer) io.WriteCloser { return &redactingWriter{r: r, w: w} }

type redactingWriter struct {
	r    *Redactor
	w    io.Writer
	held []byte
}

func (w *redactingWriter) Write(p []byte) (int, error) {
	rep, longest := w.r.state()
	w.held = append(w.held, p...)
	text := string(w.held)
	if rep != nil {
		text = w.r.unwrapped(rep.Replace(text))
	}
	keep := 0
	if longest > 1 {
		keep = min(2*longest, len(text)) // twice: line breaks may stand in it
	}
	w.held = []byte(text[len(text)-keep:])
	_, err := io.WriteString(w.w, text[:len(text)-keep])
	return len(p), err
}

func (w *redactingWriter) Close() error {
	_, err := io.WriteString(w.w, w.r.Redact(string(w.held)))
	w.held = nil
	return err
}
