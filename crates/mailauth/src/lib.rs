//! Who sent it: DKIM signing (verification, SPF, DMARC and ARC have their place here).
