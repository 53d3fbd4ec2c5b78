"""Many workers paint the chunks of many films: processes on this machine, or actors of Ray.

`schedule` says who paints which chunk, `worker` is what each of them runs, `messages` what they and
the driver say to each other, `processes` and `ray_cluster` start them, and `films` drives all.
"""
