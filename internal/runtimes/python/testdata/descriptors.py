import os

print(sorted(int(fd) for fd in os.listdir("/dev/fd") if int(fd) > 2))
