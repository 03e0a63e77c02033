# The function of seed-python.yaml and seed-python-fast.yaml, as on Lithops' page
# "Execution stats".
import os
import random
import time

SECOND = float(os.environ.get("SECOND", 1))  # less, for who is in a hurry


def my_map_function(id, x):
    print("I'm activation number {}".format(id))
    time.sleep(random.randint(5, 10) * SECOND)  # Do some work...
    return x + 7
