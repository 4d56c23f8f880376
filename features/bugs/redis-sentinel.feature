Feature: Redis under Sentinel loses acknowledged writes in a split brain
  Redis replicates after it has answered. A primary that is cut off with some of its clients goes on acknowledging their
  writes, while the sentinels of the majority promote a replica. When the cut heals the old primary is made to follow the
  new one, and throws away what it had acknowledged.

  Scenario: The writes of clients that stayed with a primary in the minority are lost
    Given a 3-node cluster running redis-sentinel
    When 6 clients add to a set continuously
    And I wait 500ms
    And the leader is isolated from the other nodes
    Then the leader has changed within 20s
    When I wait 500ms
    And the network heals
    Then the cluster is healthy within 30s
    When the clients stop
    Then an acknowledged write is lost
    And the history is not linearizable
