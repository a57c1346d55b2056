"""What users hand in: names, texts, metric values and configurations, checked.

It may import `base`.
"""
