package client

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Transactor reads and changes several keys at one instant. Not every client is one.
type Transactor interface {
	// ReadAll reads keys. Those without a value are missing in what it returns; the result tells no value.
	ReadAll(ctx context.Context, keys []string) (map[string]string, Result)
	// ChangeAll makes all changes, or none: ErrConflict is in the result's error when another value than expected was
	// under one of the keys.
	ChangeAll(ctx context.Context, changes []Change) Result
}

// Change is one key's share of a transaction: what must be there, and what is to be.
type Change struct{ Key, Expect, Value string }

var _ Transactor = (*etcd)(nil)

// ReadAll reads keys in one transaction.
func (e *etcd) ReadAll(ctx context.Context, keys []string) (map[string]string, Result) {
	values := make(map[string]string, len(keys))
	r := e.attempt(ctx, Read, func(ctx context.Context, c *clientv3.Client) error {
		var gets []clientv3.Op
		for _, k := range keys {
			gets = append(gets, clientv3.OpGet(k))
		}
		answer, err := c.Txn(ctx).Then(gets...).Commit()
		if err != nil {
			return err
		}
		for _, one := range answer.Responses {
			for _, kv := range one.GetResponseRange().GetKvs() {
				values[string(kv.Key)] = string(kv.Value)
			}
		}
		return nil
	})
	return values, r
}

// ChangeAll compares and puts in one transaction.
func (e *etcd) ChangeAll(ctx context.Context, changes []Change) Result {
	return e.attempt(ctx, CAS, func(ctx context.Context, c *clientv3.Client) error {
		var compares []clientv3.Cmp
		var puts []clientv3.Op
		for _, one := range changes {
			compares = append(compares, clientv3.Compare(clientv3.Value(one.Key), "=", one.Expect))
			puts = append(puts, clientv3.OpPut(one.Key, one.Value))
		}
		answer, err := c.Txn(ctx).If(compares...).Then(puts...).Commit()
		if err == nil && !answer.Succeeded {
			return fmt.Errorf("%w under one of %d keys", ErrConflict, len(changes))
		}
		return err
	})
}
