Feature: Several clusters

  Background:
    Given a 3-node cluster running kv
    And a 2-node cluster running kv named "db"

  Scenario: Each cluster has a leader of its own
    Then node1 is the leader
    And db1 is the leader
    And there is exactly one leader
    And there is exactly one leader of db
    And there is never more than one leader of db for 200ms
    When db2 becomes the leader
    Then the leader of db is one of db1 and db2
    And the leader of db has changed
    And db2 is the leader
    And node1 is the leader
    And db1 has caught up with the leader within 5s
    And the followers of db have caught up with the leader of db within 5s
    And the cluster is healthy

  Scenario: A majority is one of the nodes that elect
    Given a node "client" running the image "go:brine.test/brine/examples/kv"
    When a minority with the leader is paused
    Then node2, node3, client, db1 and db2 are running
    And a read from node1 times out
    And a stale read from node2 succeeds

  Scenario: The old leader, while nobody else leads
    When the leader of db is killed
    And the old leader of db is started again
    Then db1 is ready within 5s

  Scenario: All nodes are those that can be asked
    Given a node "client" running the image "go:brine.test/brine/examples/kv"
    Then a read of "k" from all nodes returns nothing
    And all nodes agree on "k"
    And a read of "k" from db1 succeeds
    And a stale read of "k" from node2 succeeds
    And a stale read from node3 succeeds within 5s
