Feature: etcd never serves old data

  Scenario: A read from a leader that was cut off is not stale
    Given a 3-node cluster running etcd
    And node2 becomes the leader
    And "v1" is written to "k" on node1
    And 3 clients read and write 3 registers continuously
    And I wait 1s
    When node2 is isolated from the other nodes
    Then the leader has changed within 10s
    When "v2" is written to "k" on node1
    Then a stale read of "k" from node2 returns "v2" within 3s
    And the cluster is healthy

  Scenario: A follower that was killed is not missed
    Given a 3-node cluster running etcd
    And node1 becomes the leader
    When node3 is killed
    Then a write to node1 succeeds
    When node3 is started again
    Then the cluster is healthy within 10s
    And I GET "http://node1:2379/health" within 5s
    And the response status is 200
