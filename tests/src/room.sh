# Keeps a file system of its own for a test process, whose size changes at our word, and takes it away when that process
# is gone, however it went: the end of our standard input is the end of the one who writes to it.
dir=$1
if mount -t tmpfs -o "size=$2,mode=755" flyball-room "$dir" 2>/dev/null; then echo mounted; else echo refused; exit; fi
while read -r size; do
    if mount -o "remount,size=$size" "$dir" 2>/dev/null; then echo done; else echo refused; fi
done
umount -l "$dir"
rmdir "$dir"
