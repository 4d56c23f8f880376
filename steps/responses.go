package steps

import (
	"context"

	"brine.test/brine/world"
)

// responses states the sentences that look at the last response.
func responses(sc Registrar) {
	sc.Step(`^the response status is (\d+)( (?:within|for|while) .+)?$`, responseStatus)
	sc.Step(`^the response body (contains|does not contain) "((?:[^"]|"")*)"( (?:within|for|while) .+)?$`, responseBody)
	sc.Step(`^the response body (contains|does not contain)( (?:within|for|while) [^"]+)?:$`, responseBodyDoc)
	sc.Step(`^the response JSON at "((?:[^"]|"")*)" is "((?:[^"]|"")*)"( (?:within|for|while) .+)?$`, responseJSON)
	sc.Step(`^the response JSON at "((?:[^"]|"")*)" is( (?:within|for|while) [^"]+)?:$`, responseJSONDoc)
	sc.Step(`^the response header "((?:[^"]|"")*)" is "((?:[^"]|"")*)"( (?:within|for|while) .+)?$`, responseHeader)
	sc.Step(`^the response took (at least|at most) ([^"]+?)( (?:within|for|while) .+)?$`, responseTook)
	sc.Step(`^the request (fails|times out)( (?:within|for|while) .+)?$`, requestFails)
}

// ofResponse looks at the last response. With a time bound the request is sent again before each further look, where
// that is safe: a GET, HEAD or OPTIONS.
func (s *words) ofResponse(ctx context.Context, b world.Bound, look func(context.Context, *world.World) error) error {
	return s.do(func(w *world.World) error {
		return w.Check(ctx, b, again(w.RequestAgain, func(ctx context.Context) error { return look(ctx, w) }))
	})
}

// again makes a look that does something before every look but the first.
func again(do, look func(context.Context) error) func(context.Context) error {
	looked := false
	return func(ctx context.Context) error {
		if looked {
			if err := do(ctx); err != nil {
				return err
			}
		}
		looked = true
		return look(ctx)
	}
}

// responseStatus compares the status of the last response. With a time bound the request is sent again for every further
// look (so do all sentences about the response; a GET, HEAD or OPTIONS only).
//
//	the response status is 200
//	the response status is 200 within 10s
func responseStatus(ctx context.Context, status, tail string) error {
	s := read(ctx)
	n, bound := s.number(status), s.bound(tail)
	return s.ofResponse(ctx, bound, func(ctx context.Context, w *world.World) error { return w.ResponseStatus(ctx, n) })
}

// responseBody looks for text in the last response's body.
//
//	the response body contains "…"
//	the response body does not contain "…"
func responseBody(ctx context.Context, how, want, tail string) error {
	s := read(ctx)
	text := world.Text{Kind: comparisons[how], Want: s.data(want)}
	bound := s.boundOf(text, tail)
	return s.ofResponse(ctx, bound, func(ctx context.Context, w *world.World) error { return w.ResponseBody(ctx, text) })
}

// responseBodyDoc looks for the doc string in the last response's body.
//
//	the response body contains:
func responseBodyDoc(ctx context.Context, how, tail string) error {
	s := read(ctx)
	text := world.Text{Kind: comparisons[how], Want: s.doc()}
	bound := s.boundOf(text, tail)
	return s.ofResponse(ctx, bound, func(ctx context.Context, w *world.World) error { return w.ResponseBody(ctx, text) })
}

// responseJSON compares the value at a path of the last response: a number or true as it is written, an object as JSON.
//
//	the response JSON at "a.b[0]" is "…"
func responseJSON(ctx context.Context, path, want, tail string) error {
	s := read(ctx)
	at, value, bound := s.data(path), s.data(want), s.bound(tail)
	return s.ofResponse(ctx, bound, func(ctx context.Context, w *world.World) error { return w.ResponseJSON(ctx, at, value) })
}

// responseJSONDoc compares the value at a path with the doc string.
//
//	the response JSON at "a.b[0]" is:
func responseJSONDoc(ctx context.Context, path, tail string) error {
	s := read(ctx)
	at, value, bound := s.data(path), s.doc(), s.bound(tail)
	return s.ofResponse(ctx, bound, func(ctx context.Context, w *world.World) error { return w.ResponseJSON(ctx, at, value) })
}

// responseHeader compares a header of the last response.
//
//	the response header "X" is "…"
func responseHeader(ctx context.Context, name, want, tail string) error {
	s := read(ctx)
	header, value, bound := s.data(name), s.data(want), s.bound(tail)
	return s.ofResponse(ctx, bound, func(ctx context.Context, w *world.World) error { return w.ResponseHeader(ctx, header, value) })
}

// responseTook compares the time from sending the request to the end of the answer; the bound is inclusive.
//
//	the response took at least 200ms
//	the response took at most 1s
func responseTook(ctx context.Context, how, d, tail string) error {
	s := read(ctx)
	took, bound := s.duration(d), s.bound(tail)
	return s.ofResponse(ctx, bound, func(ctx context.Context, w *world.World) error { return w.ResponseTook(ctx, how == "at least", took) })
}

// requestFails: the last request got no answer; or got none in its time.
//
//	the request fails
//	the request times out
func requestFails(ctx context.Context, how, tail string) error {
	s := read(ctx)
	bound := s.bound(tail)
	return s.ofResponse(ctx, bound, func(ctx context.Context, w *world.World) error {
		if how == "times out" {
			return w.RequestTimesOut(ctx)
		}
		return w.RequestFails(ctx)
	})
}
