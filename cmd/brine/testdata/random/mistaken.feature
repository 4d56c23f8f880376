Feature: A service that keeps nothing on disk

  Scenario: What it acknowledged is never lost
    Given a cluster:
      | node  | services | env                    |
      | node1 | quorum   | QUORUM_MISTAKE=forgets |
      | node2 | quorum   | QUORUM_MISTAKE=forgets |
      | node3 | quorum   | QUORUM_MISTAKE=forgets |
    When 5 clients add to a set continuously
    And random faults strike for 6s:
      | fault                | weight | min   | max   |
      | all nodes are killed | 1      | 400ms | 800ms |
      | pause                | 2      | 100ms | 300ms |
      | delay                | 2      | 300ms | 800ms |
      | loss                 | 2      | 300ms | 800ms |
    And the clients stop
    Then no acknowledged write is lost

  Scenario: Nothing strikes
    Given a 3-node cluster running quorum
