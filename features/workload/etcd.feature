Feature: etcd keeps its promises to clients that work while it is harmed

  @alone
  Scenario: Registers are linearizable while the leader is cut off, and clients are served again soon
    Given a 3-node cluster running etcd
    When 5 clients read, write and compare and set 3 registers continuously
    And I wait 500ms
    And the leader is isolated for 2s
    And I wait 1s
    And the clients stop
    Then the history is linearizable
    And no acknowledged write is lost
    And no read goes back in time
    And at least 30% of operations succeeded
    And at least 90% of operations succeeded before the leader was isolated
    And at most 99.9% of operations succeeded while the leader was isolated
    And at least 10% of reads succeeded after the leader was isolated
    And the longest outage was below 1s before the leader was isolated
    And the longest outage was below 5s
    And the median latency of writes was below 500ms

  Scenario: No acknowledged element is lost when the leader is killed
    Given a 3-node cluster running etcd
    When 5 clients add to a set to any node for the next 4s
    And I wait 500ms
    And the leader is killed
    And I wait 2s
    And the killed nodes are started again
    Then no acknowledged write is lost
    And the history is linearizable

  Scenario: Money is neither made nor lost
    Given a 3-node cluster running etcd
    And node1 becomes the leader
    When 5 clients transfer between 10 accounts for the next 3s
    And node2 is paused for 1s
    And 5 clients append to 3 lists for the next 2s
    Then at least 10% of operations succeeded while node2 was paused
    And the total is always 1000
    And the history is strictly serializable
    And no acknowledged write is lost
    And no write appears twice
    And no read goes back in time

  Scenario: A lock, a list and a counter at once
    Given a 3-node cluster running etcd
    When 3 clients take turns on a lock continuously
    And 3 clients append to a list continuously
    And 3 clients increment a counter continuously
    And node3 is isolated from the other nodes for 1s
    And the clients stop
    Then the lock is never held twice
    And no write appears twice
    And no acknowledged write is lost
    And the history is linearizable
