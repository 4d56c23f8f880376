package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// etcdUndecided are the member's answers after which the operation may still be, or come to be, done: it was proposed,
// and how that ended was not seen. All other answers of a member come before it proposes, or out of applying.
// (etcd server/etcdserver/v3_server.go, processInternalRaftRequestOnce and parseProposeCtxErr.)
var etcdUndecided = map[string]bool{
	rpctypes.ErrorDesc(rpctypes.ErrGRPCTimeout):                    true,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCTimeoutDueToLeaderFail):     true,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCTimeoutDueToConnectionLost): true,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCTimeoutWaitAppliedIndex):    true,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCLeaderChanged):              true,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCStopped):                    true,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCUnhealthy):                  false,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCNoLeader):                   false,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCNotCapable):                 false,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCNotSupportedForLearner):     false,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCBadLeaderTransferee):        false,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCRequestTooManyRequests):     false,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCNoSpace):                    false,
	rpctypes.ErrorDesc(rpctypes.ErrGRPCRequestTooLarge):            false,
}

// etcdFailure decides what an error means for an operation that was sent. In doubt it is unknown.
func etcdFailure(ctx context.Context, start time.Time, kind Kind, err error) Result {
	if errors.Is(err, ErrConflict) {
		return Result{Outcome: Failed, Answered: true, Err: err}
	}
	if errors.Is(err, ErrUnsupported) {
		return Result{Outcome: Failed, Err: err}
	}
	code, message := grpcParts(err)
	if (code == codes.Canceled || code == codes.DeadlineExceeded) && ctx.Err() != nil {
		return noAnswer(ctx, start)
	}
	r := Result{Outcome: Unknown, Answered: true, Err: errors.New(message)}
	undecided, known := etcdUndecided[message]
	switch {
	case known:
		if !undecided {
			r.Outcome = Failed
		}
	case code == codes.Unavailable && !strings.HasPrefix(message, "etcdserver:"):
		// The connection broke, or gRPC had none: the kernel said so, which is an answer unless this side closed it.
		r.Answered = !strings.Contains(message, "use of closed network connection") && !strings.Contains(message, errLost.Error())
		if ctx.Err() != nil && !r.Answered {
			return noAnswer(ctx, start)
		}
	case code == codes.DeadlineExceeded:
		r.Err = fmt.Errorf("the server gave up: %s", message)
	case decided[code]:
		r.Outcome = Failed
	}
	if r.Outcome == Unknown && !kind.changes() && code != codes.Unavailable && code != codes.DeadlineExceeded {
		r.Outcome = Failed
	}
	return r
}

// decided are the codes of answers that come before anything is done, or instead of it.
var decided = map[codes.Code]bool{
	codes.InvalidArgument: true, codes.NotFound: true, codes.AlreadyExists: true, codes.PermissionDenied: true,
	codes.Unauthenticated: true, codes.FailedPrecondition: true, codes.OutOfRange: true, codes.Unimplemented: true,
	codes.ResourceExhausted: true,
}

// grpcParts takes an error of the etcd client, in either of its forms, apart.
func grpcParts(err error) (codes.Code, string) {
	var known rpctypes.EtcdError
	if errors.As(err, &known) {
		return known.Code(), known.Error()
	}
	if s, ok := status.FromError(err); ok {
		return s.Code(), s.Message()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return codes.Canceled, err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded, err.Error()
	}
	return codes.Unknown, err.Error()
}
