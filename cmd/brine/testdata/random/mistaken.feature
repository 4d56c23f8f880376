Feature: A service that acknowledges before anyone has copied

  Scenario: What it acknowledged is never lost
    Given a cluster:
      | node  | services | env                  |
      | node1 | quorum   | QUORUM_MISTAKE=early |
      | node2 | quorum   | QUORUM_MISTAKE=early |
      | node3 | quorum   | QUORUM_MISTAKE=early |
    And node1 becomes the leader
    When 5 clients add to a set continuously
    And random faults strike for 10s:
      | fault     | weight | min   | max  |
      | partition | 2      | 1s    | 2s   |
      | pause     | 2      | 200ms | 1s   |
      | delay     | 2      |       |      |
      | loss      | 2      |       |      |
    And the clients stop
    Then no acknowledged write is lost

  Scenario: Nothing strikes
    Given a 3-node cluster running quorum
