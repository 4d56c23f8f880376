package containers

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"golang.org/x/sys/unix"
)

// deleteTask deletes a task whose processes are dead or dying. Its shim may not
// have noticed yet, or be dead itself and about to be noticed by containerd:
// then again, until it is gone or ctx ends. A task that is not there is no
// error.
func deleteTask(ctx context.Context, client tasks.TasksClient, id string) error {
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		_, err := client.Delete(ctx, &tasks.DeleteTaskRequest{ContainerID: id})
		err = ignoreGone(err)
		if err == nil {
			return nil
		}
		if errdefs.IsUnavailable(errgrpc.ToNative(err)) {
			return fmt.Errorf("delete task %s: %w", id, err) // containerd is dead
		}
		_, _ = client.Kill(ctx, &tasks.KillRequest{ContainerID: id, Signal: uint32(unix.SIGKILL), All: true})
		select {
		case <-ctx.Done():
			return fmt.Errorf("delete task %s: %w", id, err)
		case <-time.After(wait):
		}
	}
}
