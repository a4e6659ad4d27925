"""A simulated payment gateway: WeChat Pay's and Alipay's protocols, real signatures, misbehaviour on order.

It stands where the two providers stand, knows nothing of what is behind the merchant, and moves no real money.
"""
