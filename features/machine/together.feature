Feature: Harm of every kind at once
  The network, a disk, the memory, the processor, a clock and processes of one cluster go wrong together. Each program
  feels its own; each harm ends alone, or all of them with one sentence.

  # By years, so that the clock shows in what a program logs.
  Scenario: etcd under five harms, which end one by one
    Given a 3-node cluster running etcd
    And node1 becomes the leader
    When the clock of node3 jumps ahead by 100000h
    And fsync on the disk of node3 takes 1200ms
    And packets between node1 and node2 are delayed by 50ms
    And CPU of node2 is stressed
    And "v1" is written to "k" on node1
    Then the log of node3 contains "slow fdatasync" within 10s
    And the log of node3 matches """ts"":""203[0-9]-"
    And the log of node1 does not contain "slow fdatasync"
    When I GET "http://node2:2379/version" from node1
    Then the response took at least 100ms
    When node3 is paused
    Then a write to node1 succeeds
    But a read from node3 times out
    When node3 resumes
    And the disk of node3 recovers
    And the clock of node3 is right again
    And I GET "http://node2:2379/version" from node1
    Then the response took at least 100ms
    When the delay between node1 and node2 ends
    And I GET "http://node2:2379/version" from node1
    Then the response took at most 90ms
    When node2 is killed and started again 1 time
    And everything heals
    Then the cluster is healthy within 20s
    And every node returns "v1" for "k"

  Scenario: Two of redis under harm, which ends with one sentence
    Given a 2-node cluster running redis
    And "v1" is written to "k" on node1
    And a read of "k" from node2 returns "v1" within 5s
    When the disk of node1 is full
    And the clock of node1 jumps back by 100000h
    And node2 is isolated
    And the clock of node2 runs 50% slow
    Then a write to node1 succeeds
    But a write to node1 fails
    And the log of node1 matches "2015 .*No space left on device"
    And a read of "k" from node2 times out
    When redis on node2 runs out of memory
    Then node2 was killed for lack of memory
    When everything heals
    Then a write to node1 succeeds within 10s
    And every node returns "v1" for "k" within 10s
    When I run "redis-cli time" on node1
    Then its output matches "^1[0-9]{9}\s"

  Scenario: Three of NATS lose power, a disk, a clock and a node of the network
    Given a 3-node cluster running nats
    And node1 becomes the leader
    And "v1" is written to "k" on node1
    When the clock of node2 jumps back by 100000h
    And the disk of node2 is slow by 20ms
    And packets to node3 are delayed by 20ms
    And node3 loses power
    Then "v2" is written to "k" on node1 within 10s
    When I GET "http://node2:8222/varz"
    Then the response body contains """now"": ""201"
    When everything heals
    Then the cluster is healthy within 30s
    And a read of "k" from node3 returns "v2" within 20s
    When I GET "http://node2:8222/varz"
    Then the response body does not contain """now"": ""201"
