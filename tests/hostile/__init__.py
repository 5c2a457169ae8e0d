"""What an attacker or an unlucky user would do, as tests."""
