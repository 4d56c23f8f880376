Feature: A loss of power
  A node is killed and what it had not fsynced is gone. Who acknowledges before fsync loses what was acknowledged.

  Scenario: etcd fsyncs before it answers, and loses nothing
    Given a 3-node cluster running etcd
    And "v1" is written to "k" on node1
    When all nodes lose power
    Then node2 has exited with code 137
    When all nodes are started again
    Then the cluster is healthy within 20s
    And every node returns "v1" for "k"

  Scenario: One node of etcd loses power, and catches up
    Given a 3-node cluster running etcd
    When the leader loses power
    And "v1" is written to "k" on the other nodes within 10s
    And everything heals
    Then the cluster is healthy within 20s
    And every node returns "v1" for "k"

  # Redis counts its second by the wall clock; a slow one makes sure that the power is lost within it.
  Scenario: Redis with its usual appendfsync everysec loses the last second
    Given a 1-node cluster running redis
    And "old" is written to "before" on node1
    And I wait 2500ms
    And the clock of node1 runs 99% slow
    And "tick" is written to "now" on node1
    And I wait 300ms
    And "new" is written to "after" on node1
    When node1 loses power
    And node1 is started again
    Then a read of "before" from node1 returns "old" within 5s
    But a read of "after" from node1 returns nothing

  Scenario: Redis does not fsync for as long as its clock went back
    Given a 1-node cluster running redis
    And "old" is written to "before" on node1
    And I wait 2500ms
    When the clock of node1 jumps back by 5m
    And "new" is written to "after" on node1
    And I wait 3s
    And node1 loses power
    And node1 is started again
    Then a read of "before" from node1 returns "old" within 5s
    But a read of "after" from node1 returns nothing

  Scenario: Killed only, Redis loses nothing
    Given a 1-node cluster running redis
    And "new" is written to "k" on node1
    When node1 is killed and started again 1 time
    Then a read of "k" from node1 returns "new" within 5s
    When node1 loses power
    Then a read from node1 fails

  Scenario: Killed only, NATS JetStream loses nothing
    Given a 3-node cluster running nats
    And "v1" is written to "k" on node1
    When all nodes are killed
    And all nodes are started again
    Then the cluster is healthy within 30s
    And a read of "k" from node1 returns "v1" within 20s
    When node1 loses power
    Then node1 has exited with code 137

  Scenario: NATS JetStream that syncs always loses nothing
    Given the service "nats-always":
      """
      image: "go:github.com/nats-io/nats-server/v2@v2.14.9"
      args: ["-c", "/etc/nats.conf"]
      files:
        /etc/nats.conf: |
          server_name: {{.Node.Name}}
          listen: 0.0.0.0:4222
          http: 0.0.0.0:8222
          jetstream {store_dir: /data, sync_interval: always}
      ports: {client: 4222, monitor: 8222}
      data: /data
      ready: {http: {port: monitor, path: /healthz, status: 200}}
      client: nats
      """
    And a 1-node cluster running nats-always
    And "v1" is written to "k" on node1
    When node1 loses power
    And node1 is started again
    Then a read of "k" from node1 returns "v1" within 10s

  # The same three, as the history of clients that work all the time shows them.
  Scenario: No write that etcd acknowledged is lost with the power of all nodes
    Given a 3-node cluster running etcd
    When 3 clients add to a set continuously
    And I wait 1s
    And all nodes lose power
    And all nodes are started again
    Then the cluster is healthy within 20s
    When the clients stop
    Then no acknowledged write is lost
    And the history is linearizable

  Scenario: Writes that Redis acknowledged in the last second are lost with the power
    Given a 1-node cluster running redis
    When 3 clients add to a set continuously
    And I wait 1500ms
    And the clock of node1 runs 99% slow
    And I wait 300ms
    And node1 loses power
    And node1 is started again
    Then node1 is ready within 5s
    When the clients stop
    Then an acknowledged write is lost
    And the history is not linearizable

  Scenario: Messages that NATS JetStream acknowledged are lost with the power of all nodes
    Given a 3-node cluster running nats
    And "v1" is written to "k" on node1 within 20s
    When 3 clients add to a set continuously
    And I wait 1s
    And all nodes lose power
    And all nodes are started again
    Then a read of "k" from node1 returns nothing within 30s
    When the clients stop
    Then an acknowledged write is lost
