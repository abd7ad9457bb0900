//! For tests only: the pocket internet, with DNS, hosts, scripted servers, faults and time.
