Feature: Random faults are replayed

  Scenario: A few seconds of them
    Given a 5-node cluster running quorum
    When random faults strike for 4s:
      | fault                     | weight | min   | max |
      | partition                 | 1      | 300ms | 1s  |
      | kill                      | 1      | 300ms | 1s  |
      | delay                     | 1      | 300ms | 1s  |
      | 2 random nodes are paused | 1      | 300ms | 1s  |
    Then a write to all nodes succeeds within 15s
