package clock

import (
	"context"
	"testing"
	"time"
)

func TestProbe(t *testing.T) {
	n, other := newNode(t), newNode(t)
	c, d := newClock(t, n), newClock(t, other)
	probe := func(c *Clock) time.Duration {
		t.Helper()
		r, err := c.Probe(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		about(t, "host", r.Host.UnixNano(), 0)
		return r.Skew()
	}
	near(t, "right", probe(c), 0)
	set(t, c, Skew{Offset: 5 * time.Minute})
	near(t, "wrong", probe(c), 5*time.Minute)
	near(t, "another node", probe(d), 0)
	near(t, "this process", ownSkew(), 0)
	restore(t, c)
	near(t, "right again", probe(c), 0)
	if rc := c.Receipt(); rc.Started != 1 {
		t.Errorf("receipt %+v", rc)
	}
}
