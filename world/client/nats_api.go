package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	gonats "github.com/nats-io/nats.go"
)

// natsError is an error of JetStream's interface.
type natsError struct {
	Status int    `json:"code"`
	Code   int    `json:"err_code"`
	Text   string `json:"description"`
}

func (e *natsError) Error() string { return e.Text }

// Codes of JetStream's errors, server/errors.json.
const (
	natsNoMessage     = 10037
	natsNoStream      = 10059
	natsWrongSequence = 10071
	natsBusySubject   = 10164 // another change of the key is on its way to the stream's servers: this one was not begun
)

// natsAsk asks JetStream's interface something and reads the answer into into, unless it is nil.
func natsAsk(ctx context.Context, nc *gonats.Conn, subject string, question, into any) error {
	text, err := json.Marshal(question)
	if err != nil {
		return err
	}
	answer, err := nc.RequestWithContext(ctx, subject, text)
	if err != nil {
		return err
	}
	var head struct {
		Error *natsError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &head); err != nil {
		return fmt.Errorf("%s: %w%s", subject, err, excerpt(answer.Data))
	}
	if head.Error != nil {
		return head.Error
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer.Data, into)
}

// natsGet asks the leader of the bucket's stream for a key. Where there is no bucket there is nothing.
func natsGet(ctx context.Context, nc *gonats.Conn, key string) (value string, revision uint64, found bool, err error) {
	var answer struct {
		Message struct {
			Sequence uint64 `json:"seq"`
			Data     []byte `json:"data"`
		} `json:"message"`
	}
	err = natsAsk(ctx, nc, "$JS.API.STREAM.MSG.GET."+natsStream, map[string]string{"last_by_subj": natsSubject(key)}, &answer)
	var refused *natsError
	if errors.As(err, &refused) && (refused.Code == natsNoMessage || refused.Code == natsNoStream) {
		return "", 0, false, nil
	}
	return string(answer.Message.Data), answer.Message.Sequence, err == nil, err
}

// natsDirectGet asks any server that has the bucket for a key.
func natsDirectGet(ctx context.Context, nc *gonats.Conn, key string) (value string, found bool, err error) {
	text, err := json.Marshal(map[string]string{"last_by_subj": natsSubject(key)})
	if err != nil {
		return "", false, err
	}
	answer, err := nc.RequestWithContext(ctx, "$JS.API.DIRECT.GET."+natsStream, text)
	if err != nil {
		return "", false, err
	}
	switch status := answer.Header.Get("Status"); status {
	case "":
		return string(answer.Data), true, nil
	case "404":
		return "", false, nil
	default:
		return "", false, fmt.Errorf("%s %s", status, answer.Header.Get("Description"))
	}
}

// natsFailure decides what an error means for an operation that was sent. In doubt it is unknown.
func natsFailure(ctx context.Context, start time.Time, kind Kind, err error) Result {
	sent := kind.changes() && !errors.Is(err, errNotSent)
	r := Result{Outcome: Failed, Answered: true, Err: err}
	var refused *natsError
	switch {
	case errors.Is(err, ErrConflict):
	case errors.Is(err, ErrUnsupported):
		r.Answered = false
	case ctx.Err() != nil || errors.Is(err, gonats.ErrTimeout):
		r = noAnswer(ctx, start)
		if !sent {
			r.Outcome = Failed
		}
	case errors.Is(err, gonats.ErrNoResponders):
		r.Err = errors.New("no server has the bucket, or none leads it")
	case errors.As(err, &refused):
		if sent {
			r.Outcome = Unknown
		}
	case sent:
		r = cut(closedByServer(err))
		r.Answered = true
	default:
		r.Err = closedByServer(err)
	}
	return r
}
