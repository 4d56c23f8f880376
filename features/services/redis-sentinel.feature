Feature: Redis under Sentinel

  Scenario: A primary that is killed is replaced
    Given a 3-node cluster running redis-sentinel
    Then node1 is the leader
    And the cluster is healthy
    When "v1" is written to "k" on node2
    And node3 has caught up with the leader within 5s
    And node1 is killed
    Then the leader has changed within 20s
    And a read of "k" from node3 returns "v1" within 10s
    And a write to node2 succeeds within 10s
    And there is exactly one leader

  Scenario: A client believes the sentinel of its node, a stale read the server of its node
    Given a 5-node cluster running redis and redis-sentinel
    When "v1" is written to "k" on node1
    Then every node returns "v1" for "k" within 5s
    When I run "redis-cli set k v2" on node2
    Then its output contains "READONLY"
    When node2 is isolated from the other nodes
    And "v2" is written to "k" on redis-sentinel on node2
    Then a stale read of "k" from redis-sentinel on node2 returns "v1"
    And a read of "k" from redis on node2 returns "v1"
    And a read of "k" from node3 returns "v2" within 5s

  Scenario: The primary is moved, and keeps its role over a restart
    Given a 3-node cluster running redis-sentinel
    When "v1" is written to "k" on node1
    And node3 becomes the leader
    Then the leader has changed
    And a read of "k" from node1 returns "v1" within 5s
    When all nodes are killed
    And all nodes are started again
    Then node3 is the leader within 10s
    And a read of "k" from node1 returns "v1" within 10s

  @slow
  Scenario: A primary that was paused, and one that loses power
    Given a 3-node cluster running redis-sentinel
    When "v1" is written to "k" on node1
    And I wait 2s
    And node1 is paused
    Then the leader has changed within 20s
    When node1 resumes
    Then a write to redis on node1 fails within 40s
    When the leader loses power
    Then the leader has changed within 30s
    When everything heals
    Then every node returns "v1" for "k" within 40s
    And the cluster is healthy within 40s

  @slow
  Scenario: A primary that was killed follows the new one when it is back
    Given a 3-node cluster running redis-sentinel
    When node1 is killed
    Then the leader has changed within 20s
    When "v2" is written to "k" on node2 within 10s
    And node1 is started again
    Then a stale read of "k" from node1 returns "v2" within 20s
    And the cluster is healthy within 20s
